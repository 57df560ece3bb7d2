package profile

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"warifu"
	"warifu/signed"
)

// Endpoints are the addresses written into end-entity certificates. A Profile
// without them (the zero value) can check but not build.
type Endpoints struct {
	OCSP   string // AIA id-ad-ocsp, http://…
	CRL    string // phone only: the full list, http://….crl; the CRL distribution point where there are no partitions
	Issuer string // phone only: AIA id-ad-caIssuers, http://…
	CPS    string // policy qualifier; may be empty
	// Partitions is how many partial lists there are; the distribution point is then the
	// address of one of them (Point).
	Partitions int
}

// Profile is one end-entity profile: what TBS builds and Check demands.
type Profile struct {
	Class     Class
	Kind      warifu.Kind
	Policy    asn1.ObjectIdentifier
	Algorithm Algorithm // of the subject's key; "" takes either of the two
	Endpoints Endpoints // zero: Check demands the shape of addresses, not their values

	passed signed.Facts // certificates, by the digest of their octets (CheckOnce)
}

// Card is the profile of the card's certificate of that kind (card-facts §2.2): RSA-2048,
// the policy of the test hierarchy. Change the fields for another hierarchy.
func Card(kind warifu.Kind, endpoints Endpoints) *Profile {
	p := &Profile{Class: ClassCard, Kind: kind, Policy: PolicyCardSignature, Algorithm: RSA2048, Endpoints: endpoints}
	if kind == warifu.Authentication {
		p.Policy = PolicyCardAuthentication
	}
	return p
}

// Phone is the profile of the phone's certificate of that kind: our own policies,
// key algorithm by the scheme ("" when only checking).
func Phone(kind warifu.Kind, algorithm Algorithm, endpoints Endpoints) *Profile {
	p := &Profile{Class: ClassPhone, Kind: kind, Policy: PolicyPhoneSignature, Algorithm: algorithm, Endpoints: endpoints}
	if kind == warifu.Authentication {
		p.Policy = PolicyPhoneAuthentication
	}
	return p
}

// Of returns the profile to check a certificate of that class and kind with, of any
// of the two algorithms and any addresses.
func Of(class Class, kind warifu.Kind) *Profile {
	if class == ClassCard {
		p := Card(kind, Endpoints{})
		p.Algorithm = ""
		return p
	}
	return Phone(kind, "", Endpoints{})
}

// EndEntity is what differs from one certificate of a profile to the next.
type EndEntity struct {
	Serial       []byte     // big-endian, positive, at most 20 octets as an INTEGER
	PublicKey    []byte     // SubjectPublicKeyInfo, DER
	CommonName   string     // opaque; PrintableString characters, at most 64
	Prefecture   string     // card only: romaji, "Tokyo-to"
	Municipality string     // card only: romaji, "Kiyose-shi"
	Attributes   Attributes // signature only
	Partition    int        // phone only: of the revocation lists, from 0 to Endpoints.Partitions-1; 0 where there are none
	NotBefore    time.Time
	NotAfter     time.Time
}

// TBS builds the tbsCertificate that issuer (a certificate of an Authority) is to
// sign. Errors: Invalid "certificate-draft-malformed" naming the part,
// "attributes-malformed", "key-algorithm-unsupported".
func (p *Profile) TBS(in EndEntity, issuer *x509.Certificate) ([]byte, error) {
	if err := p.checkInput(in); err != nil {
		return nil, err
	}
	extensions, err := p.extensions(in, issuer)
	if err != nil {
		return nil, err
	}
	return draft{
		serial: in.Serial, signer: issuer.PublicKey, issuer: issuer.RawSubject, subject: p.subject(in),
		notBefore: in.NotBefore, notAfter: in.NotAfter, publicKey: in.PublicKey, extensions: extensions,
	}.encode()
}

func (p *Profile) checkInput(in EndEntity) error {
	switch {
	case !printable(in.CommonName, 64):
		return malformed("common-name")
	case p.Class == ClassCard && (!printable(in.Prefecture, 64) || !printable(in.Municipality, 58)):
		return malformed("locality")
	case p.Class == ClassPhone && in.Prefecture+in.Municipality != "":
		return malformed("locality")
	case p.Kind == warifu.Authentication && !in.Attributes.IsZero():
		return malformed("attributes")
	case p.Endpoints.OCSP == "" || p.Class == ClassPhone && (p.Endpoints.CRL == "" || p.Endpoints.Issuer == ""):
		return malformed("endpoints")
	case in.Partition < 0 || in.Partition >= max(1, p.Endpoints.Partitions) || p.Class == ClassCard && p.Endpoints.Partitions != 0:
		return malformed("partition")
	}
	return readKey(in.PublicKey, p.Algorithm)
}

// subject is C, L, L, CN on the card's signature certificate and C, CN on all others.
func (p *Profile) subject(in EndEntity) []byte {
	parts := []part{{oidCountry, "JP"}}
	if p.hasLocality() {
		parts = append(parts, part{oidLocality, in.Prefecture}, part{oidLocality, in.Municipality})
	}
	return encodeName(append(parts, part{oidCommonName, in.CommonName})...)
}

func (p *Profile) hasLocality() bool { return p.Class == ClassCard && p.Kind == warifu.Signature }

func (p *Profile) usage() []byte {
	if p.Kind == warifu.Signature {
		return usageSignature
	}
	return usageAuthentication
}

// extensions lists them in the order in which they are written.
func (p *Profile) extensions(in EndEntity, issuer *x509.Certificate) ([]pkix.Extension, error) {
	keyID, err := KeyID(in.PublicKey)
	if err != nil {
		return nil, err
	}
	issuerNames := extension(issuer, oidSubjectAltName)
	if issuerNames == nil || len(issuer.SubjectKeyId) == 0 {
		return nil, malformed("issuer")
	}
	out := append(make([]pkix.Extension, 0, 9), keyUsage(p.usage()))
	if p.Kind == warifu.Authentication {
		out = append(out, extendedKeyUsage(oidClientAuth))
	}
	out = append(out, policy(p.Policy, p.Endpoints.CPS))
	if p.Kind == warifu.Signature {
		names, err := in.Attributes.Complete().Extension()
		if err != nil {
			return nil, err
		}
		out = append(out, names)
	}
	return append(out,
		pkix.Extension{Id: oidIssuerAltName, Value: issuerNames},
		p.crlPoint(in, issuer),
		authorityInfo(p.Endpoints.OCSP, p.issuerAddress()),
		authorityKeyID(issuer.SubjectKeyId),
		subjectKeyID(keyID)), nil
}

// issuerAddress is written on the phone's certificates only; the card's have none.
func (p *Profile) issuerAddress() string {
	if p.Class == ClassCard {
		return ""
	}
	return p.Endpoints.Issuer
}

// crlPoint is a directory entry per municipality on the card, an address on the phone.
func (p *Profile) crlPoint(in EndEntity, issuer *x509.Certificate) pkix.Extension {
	if p.Class == ClassPhone {
		return crlPoint(func(b *cryptobyte.Builder) { uniformResource(b, p.Endpoints.Point(in.Partition)) })
	}
	parts := []part{{oidCountry, "JP"}}
	for _, o := range issuer.Subject.Organization {
		parts = append(parts, part{oidOrganization, o})
	}
	if units := issuer.Subject.OrganizationalUnit; len(units) > 0 {
		parts = append(parts, part{oidUnit, units[0]})
	}
	parts = append(parts, part{oidUnit, "CRL Distribution Points"}, part{oidUnit, in.Prefecture}, part{oidCommonName, in.Municipality + " CRLDP"})
	return crlPoint(func(b *cryptobyte.Builder) { directoryName(b, encodeName(parts...)) })
}
