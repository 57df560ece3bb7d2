package profile

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"time"

	"warifu"
)

// MakerRoot makes the self-signed root of a secure-element maker's attestation
// chain: C, O the maker, CN; P-256; keyCertSign alone.
func MakerRoot(maker string, key crypto.Signer, serial []byte, notBefore, notAfter time.Time) ([]byte, error) {
	if !text(maker, 48) {
		return nil, malformed("maker")
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	if err := readKey(public, P256); err != nil {
		return nil, err
	}
	keyID, err := KeyID(public)
	if err != nil {
		return nil, err
	}
	name := encodeName(part{oidCountry, "JP"}, part{oidOrganization, maker}, part{oidCommonName, maker + " attestation"})
	tbs, err := draft{
		serial: serial, signer: key.Public(), issuer: name, subject: name,
		notBefore: notBefore, notAfter: notAfter, publicKey: public,
		extensions: []pkix.Extension{keyUsage(usageMaker), authorityConstraint, subjectKeyID(keyID)},
	}.encode()
	if err != nil {
		return nil, err
	}
	return Sign(tbs, key)
}

// ElementLeaf builds the tbsCertificate of one secure element's attestation key
// (P-256): subject C, O the maker, serialNumber the element's identifier in
// hexadecimal, which attest.VerifyChain reads; digitalSignature alone; for life.
func ElementLeaf(element warifu.ElementID, publicKey []byte, serial []byte, notBefore, notAfter time.Time, issuer *x509.Certificate) ([]byte, error) {
	if err := readKey(publicKey, P256); err != nil {
		return nil, err
	}
	keyID, err := KeyID(publicKey)
	if err != nil {
		return nil, err
	}
	parts := []part{{oidCountry, "JP"}}
	for _, o := range issuer.Subject.Organization {
		parts = append(parts, part{oidOrganization, o})
	}
	return draft{
		serial: serial, signer: issuer.PublicKey, issuer: issuer.RawSubject,
		subject:   encodeName(append(parts, part{oidSerialNumber, element.String()})...),
		notBefore: notBefore, notAfter: notAfter, publicKey: publicKey,
		extensions: []pkix.Extension{keyUsage(usageAuthentication), authorityKeyID(issuer.SubjectKeyId), subjectKeyID(keyID)},
	}.encode()
}
