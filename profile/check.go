package profile

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"net/url"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// Rule is one sentence of an end-entity profile. Every rule looks at its own part of
// a certificate and at no other, so that a certificate with one fault breaks one rule.
type Rule struct {
	Name   string // stable; the parameter "rule" of the problem "profile-mismatch"
	Clause string // where it comes from
	holds  func(p *Profile, c *x509.Certificate) bool
}

// Rules lists them in the order in which Check tries them.
func Rules() []Rule { return append([]Rule(nil), rules...) }

var rules = []Rule{
	{"version", "RFC 5280 §4.1.2.1: v3", func(_ *Profile, c *x509.Certificate) bool { return c.Version == 3 }},
	{"serial", "RFC 5280 §4.1.2.2: positive, at most 20 octets", serialHolds},
	{"signature-algorithm", "design §3.1: SHA-256 only", func(_ *Profile, c *x509.Certificate) bool {
		return c.SignatureAlgorithm == x509.SHA256WithRSA || c.SignatureAlgorithm == x509.ECDSAWithSHA256
	}},
	{"validity", "RFC 5280 §4.1.2.5: begins before it ends", func(_ *Profile, c *x509.Certificate) bool { return c.NotBefore.Before(c.NotAfter) }},
	{"subject", "card-facts §2.2, docs/profile.md", subjectHolds},
	{"key", "docs/profile.md: RSA-2048 e=65537 or P-256, by the scheme", keyHolds},
	{"key-usage", "card-facts §2.2: critical", keyUsageHolds},
	{"extended-key-usage", "card-facts §2.2: clientAuth on authentication, none on signature", extendedKeyUsageHolds},
	{"policy", "card-facts §2.2: critical, exactly one", policyHolds},
	{"subject-alternative-name", "card-facts §2.2: six otherNames on signature, none on authentication", subjectNamesHold},
	{"issuer-alternative-name", "card-facts §2.2: one directoryName", issuerNamesHold},
	{"crl-distribution-point", "card-facts §2.2, docs/profile.md", crlPointHolds},
	{"authority-information", "card-facts §2.2: OCSP; caIssuers on the phone", authorityInfoHolds},
	{"authority-key-identifier", "RFC 5280 §4.2.1.1: keyIdentifier alone", authorityKeyIDHolds},
	{"subject-key-identifier", "RFC 5280 §4.2.1.2, RFC 7093 §2", subjectKeyIDHolds},
	{"extensions", "docs/profile.md: no other extension", onlyKnownExtensions},
}

// Broken lists the rules that c breaks, none for a certificate of the profile.
func (p *Profile) Broken(c *x509.Certificate) []Rule {
	var out []Rule
	for _, r := range rules {
		if !r.holds(p, c) {
			out = append(out, r)
		}
	}
	return out
}

// Check returns nil for a certificate of the profile and otherwise Refused
// "profile-mismatch" naming class, kind and the first rule broken. It says nothing
// about who signed, whether the certificate is valid now, or its status.
func (p *Profile) Check(c *x509.Certificate) error {
	for _, r := range rules {
		if !r.holds(p, c) {
			return warifu.Refused("profile-mismatch", "class", p.Class.String(), "kind", p.Kind.String(), "rule", r.Name)
		}
	}
	return nil
}

// CheckOnce is Check for a certificate just as it was parsed, of a profile that no
// longer changes: which octets keep it is remembered, as is a signature (package
// signed), since registration and both authorities check the same certificates.
func (p *Profile) CheckOnce(c *x509.Certificate) error {
	name := sha256.Sum256(c.Raw)
	if p.passed.Has(name) {
		return nil
	}
	err := p.Check(c)
	if err == nil {
		p.passed.Tell(name)
	}
	return err
}

func serialHolds(_ *Profile, c *x509.Certificate) bool {
	return c.SerialNumber.Sign() > 0 && c.SerialNumber.BitLen() < 8*maxSerial
}

// subjectHolds demands the profile's attributes in its order and in its encoding.
func subjectHolds(p *Profile, c *x509.Certificate) bool {
	parts := partsOf(c.Subject)
	types := []asn1.ObjectIdentifier{oidCountry, oidCommonName}
	if p.hasLocality() {
		types = []asn1.ObjectIdentifier{oidCountry, oidLocality, oidLocality, oidCommonName}
	}
	return shaped(parts, types...) && parts[0].value == "JP" && printable(parts[len(parts)-1].value, 64) &&
		bytes.Equal(c.RawSubject, encodeName(parts...))
}

func keyHolds(p *Profile, c *x509.Certificate) bool {
	return checkKey(c.PublicKey, c.RawSubjectPublicKeyInfo, p.Algorithm) == nil
}

// extensionIs reports whether c has the extension with that criticality and, unless
// value is nil, exactly that value.
func extensionIs(c *x509.Certificate, oid asn1.ObjectIdentifier, critical bool, value []byte) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(oid) {
			return e.Critical == critical && (value == nil || bytes.Equal(e.Value, value))
		}
	}
	return false
}

func keyUsageHolds(p *Profile, c *x509.Certificate) bool {
	return extensionIs(c, oidKeyUsage, true, p.usage())
}

func extendedKeyUsageHolds(p *Profile, c *x509.Certificate) bool {
	if p.Kind == warifu.Signature {
		return extension(c, oidExtendedKeyUsage) == nil
	}
	return extensionIs(c, oidExtendedKeyUsage, false, extendedKeyUsage(oidClientAuth).Value)
}

func policyHolds(p *Profile, c *x509.Certificate) bool {
	if p.Endpoints != (Endpoints{}) {
		return extensionIs(c, oidPolicies, true, policy(p.Policy, p.Endpoints.CPS).Value)
	}
	return extensionIs(c, oidPolicies, true, nil) && len(c.PolicyIdentifiers) == 1 && c.PolicyIdentifiers[0].Equal(p.Policy)
}

func subjectNamesHold(p *Profile, c *x509.Certificate) bool {
	if p.Kind == warifu.Authentication {
		return extension(c, oidSubjectAltName) == nil
	}
	_, present, err := ParseAttributes(c)
	return err == nil && present && extensionIs(c, oidSubjectAltName, false, nil)
}

func issuerNamesHold(_ *Profile, c *x509.Certificate) bool {
	if !extensionIs(c, oidIssuerAltName, false, nil) {
		return false
	}
	input := cryptobyte.String(extension(c, oidIssuerAltName))
	var names, name cryptobyte.String
	return input.ReadASN1(&names, cbasn1.SEQUENCE) && input.Empty() &&
		names.ReadASN1(&name, cbasn1.Tag(4).ContextSpecific().Constructed()) && names.Empty()
}

// crlPointHolds demands one distribution point with one fullName and nothing else:
// an address on the phone, a directory name on the card.
func crlPointHolds(p *Profile, c *x509.Certificate) bool {
	if !extensionIs(c, oidCRLPoints, false, nil) {
		return false
	}
	name, ok := onlyFullName(extension(c, oidCRLPoints))
	if !ok {
		return false
	}
	var inner cryptobyte.String
	if p.Class == ClassCard {
		return name.ReadASN1(&inner, cbasn1.Tag(4).ContextSpecific().Constructed()) && name.Empty()
	}
	return name.ReadASN1(&inner, cbasn1.Tag(6).ContextSpecific()) && name.Empty() && p.Endpoints.pointIs(string(inner))
}

func onlyFullName(value []byte) (cryptobyte.String, bool) {
	input := cryptobyte.String(value)
	wrap := cbasn1.Tag(0).ContextSpecific().Constructed()
	var points, point, name, full cryptobyte.String
	ok := input.ReadASN1(&points, cbasn1.SEQUENCE) && input.Empty() && points.ReadASN1(&point, cbasn1.SEQUENCE) && points.Empty() &&
		point.ReadASN1(&name, wrap) && point.Empty() && name.ReadASN1(&full, wrap) && name.Empty()
	return full, ok
}

// addressIs compares with the wanted address, or, where none is known, demands an
// absolute http address without user, query or fragment.
func addressIs(address, wanted string) bool {
	if wanted != "" {
		return address == wanted
	}
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http" && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" &&
		len(address) <= 256 && strings.TrimFunc(address, func(r rune) bool { return r > 0x20 && r < 0x7f }) == ""
}

func authorityInfoHolds(p *Profile, c *x509.Certificate) bool {
	if !extensionIs(c, oidAuthorityInfo, false, nil) || len(c.OCSPServer) != 1 || !addressIs(c.OCSPServer[0], p.Endpoints.OCSP) {
		return false
	}
	issuer := ""
	if p.Class == ClassPhone {
		if len(c.IssuingCertificateURL) != 1 || !addressIs(c.IssuingCertificateURL[0], p.Endpoints.Issuer) {
			return false
		}
		issuer = c.IssuingCertificateURL[0]
	}
	return bytes.Equal(extension(c, oidAuthorityInfo), authorityInfo(c.OCSPServer[0], issuer).Value)
}

func authorityKeyIDHolds(_ *Profile, c *x509.Certificate) bool {
	return len(c.AuthorityKeyId) > 0 && extensionIs(c, oidAuthorityKeyID, false, authorityKeyID(c.AuthorityKeyId).Value)
}

func subjectKeyIDHolds(_ *Profile, c *x509.Certificate) bool {
	id, err := KeyID(c.RawSubjectPublicKeyInfo)
	return err == nil && extensionIs(c, oidSubjectKeyID, false, subjectKeyID(id).Value)
}

var knownExtensions = []asn1.ObjectIdentifier{
	oidKeyUsage, oidExtendedKeyUsage, oidPolicies, oidSubjectAltName, oidIssuerAltName,
	oidCRLPoints, oidAuthorityInfo, oidAuthorityKeyID, oidSubjectKeyID,
}

// onlyKnownExtensions refuses basicConstraints too: an end entity of ours has none.
func onlyKnownExtensions(_ *Profile, c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		known := false
		for _, oid := range knownExtensions {
			known = known || e.Id.Equal(oid)
		}
		if !known {
			return false
		}
	}
	return true
}
