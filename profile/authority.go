package profile

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"warifu"
)

// Authority names a certification authority: self-signed, one tier (card-facts §2.1).
type Authority struct {
	Organization string   // O: "WARIFU-TEST" unless an operator names it
	Units        []string // OU, one or two
	PublicName   string   // O of the directoryName in subjectAltName, and so of issuerAltName below it
}

// TestOrganization is the O of every authority that no operator has named.
const TestOrganization = "WARIFU-TEST"

// CardAuthority names the test hierarchy's authority for the card's certificates of that kind.
func CardAuthority(kind warifu.Kind) Authority {
	return Authority{
		Organization: TestOrganization,
		Units:        []string{"JPKI for " + purpose(kind), "Japan Agency for Local Authority Information Systems"},
		PublicName:   "公的個人認証サービス（" + TestOrganization + "）",
	}
}

// PhoneAuthority names the authority for the phone's certificates of that kind;
// organization "" is TestOrganization.
func PhoneAuthority(kind warifu.Kind, organization string) Authority {
	if organization == "" {
		organization = TestOrganization
	}
	return Authority{
		Organization: organization,
		Units:        []string{"Warifu for " + purpose(kind), "Mobile credentials"},
		PublicName:   "割符（" + organization + "）",
	}
}

func purpose(kind warifu.Kind) string {
	if kind == warifu.Signature {
		return "digital signature"
	}
	return "user authentication"
}

func (a Authority) name() []byte {
	parts := []part{{oidCountry, "JP"}, {oidOrganization, a.Organization}}
	for _, u := range a.Units {
		parts = append(parts, part{oidUnit, u})
	}
	return encodeName(parts...)
}

// SelfSign makes the authority's certificate with its own key. Extensions: keyUsage
// critical (keyCertSign, cRLSign), subjectAltName directoryName, basicConstraints critical,
// CRL distribution point the authority's own directory name, subjectKeyIdentifier.
func (a Authority) SelfSign(key crypto.Signer, serial []byte, notBefore, notAfter time.Time) ([]byte, error) {
	if !text(a.Organization, 64) || !text(a.PublicName, 64) || len(a.Units) == 0 {
		return nil, malformed("authority")
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	keyID, err := KeyID(public)
	if err != nil {
		return nil, err
	}
	name := a.name()
	publicName := encodeName(part{oidCountry, "JP"}, part{oidOrganization, a.PublicName})
	tbs, err := draft{
		serial: serial, signer: key.Public(), issuer: name, subject: name,
		notBefore: notBefore, notAfter: notAfter, publicKey: public,
		extensions: []pkix.Extension{
			keyUsage(usageAuthority),
			{Id: oidSubjectAltName, Value: alternativeName(publicName)},
			authorityConstraint,
			crlPoint(func(b *cryptobyte.Builder) { directoryName(b, name) }),
			subjectKeyID(keyID),
		},
	}.encode()
	if err != nil {
		return nil, err
	}
	return Sign(tbs, key)
}

// authorityConstraint is cA TRUE without a path length.
var authorityConstraint = pkix.Extension{Id: oidBasicConstraints, Critical: true, Value: []byte{0x30, 0x03, 0x01, 0x01, 0xff}}

// CheckAuthority refuses a certificate that is not a certification authority's of
// this profile: self-issued, signed by itself with SHA-256, CA, keyCertSign and
// cRLSign, a subject key identifier and a directory name. Error: Refused
// "profile-mismatch".
func CheckAuthority(c *x509.Certificate) error {
	_, algorithmErr := AlgorithmOf(c.PublicKey)
	ok := algorithmErr == nil && c.BasicConstraintsValid && c.IsCA && len(c.SubjectKeyId) > 0 &&
		c.KeyUsage == x509.KeyUsageCertSign|x509.KeyUsageCRLSign && extension(c, oidSubjectAltName) != nil &&
		string(c.RawIssuer) == string(c.RawSubject) && c.CheckSignatureFrom(c) == nil
	if !ok {
		return warifu.Refused("profile-mismatch", "class", "authority", "rule", "authority")
	}
	return nil
}
