package profile

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"time"

	"warifu"
)

// Responder is a delegated OCSP responder to be certified (RFC 6960 §4.2.2.2): a
// P-256 key in every scheme, short-lived, itself never checked for revocation.
type Responder struct {
	Serial     []byte
	PublicKey  []byte // SubjectPublicKeyInfo, DER, P-256
	CommonName string
	NotBefore  time.Time
	NotAfter   time.Time
}

// TBS builds the tbsCertificate that issuer is to sign.
func (r Responder) TBS(issuer *x509.Certificate) ([]byte, error) {
	if !printable(r.CommonName, 64) {
		return nil, malformed("common-name")
	}
	if err := readKey(r.PublicKey, P256); err != nil {
		return nil, err
	}
	keyID, err := KeyID(r.PublicKey)
	if err != nil {
		return nil, err
	}
	parts := []part{{oidCountry, "JP"}}
	for _, o := range issuer.Subject.Organization {
		parts = append(parts, part{oidOrganization, o})
	}
	return draft{
		serial: r.Serial, signer: issuer.PublicKey, issuer: issuer.RawSubject,
		subject:   encodeName(append(parts, part{oidCommonName, r.CommonName})...),
		notBefore: r.NotBefore, notAfter: r.NotAfter, publicKey: r.PublicKey,
		extensions: []pkix.Extension{
			keyUsage(usageAuthentication),
			extendedKeyUsage(oidOCSPSigning),
			{Id: oidOCSPNoCheck, Value: []byte{0x05, 0x00}},
			authorityKeyID(issuer.SubjectKeyId),
			subjectKeyID(keyID),
		},
	}.encode()
}

// CheckResponder refuses a certificate that may not answer for its issuer: it must
// be P-256, no CA, digitalSignature and id-kp-OCSPSigning alone, and carry
// id-pkix-ocsp-nocheck. Who signed it is the caller's to check. Error: Refused
// "profile-mismatch".
func CheckResponder(c *x509.Certificate) error {
	algorithm, err := AlgorithmOf(c.PublicKey)
	ok := err == nil && algorithm == P256 && !c.IsCA && c.KeyUsage == x509.KeyUsageDigitalSignature &&
		len(c.ExtKeyUsage) == 1 && c.ExtKeyUsage[0] == x509.ExtKeyUsageOCSPSigning && len(c.UnknownExtKeyUsage) == 0 &&
		extension(c, oidOCSPNoCheck) != nil && len(c.PolicyIdentifiers) == 0
	if !ok {
		return warifu.Refused("profile-mismatch", "class", "responder", "rule", "responder")
	}
	return nil
}
