package verify

import (
	"bytes"
	"crypto/x509"

	"warifu"
	"warifu/profile"
	"warifu/signed"
)

// Trust is the set of authorities believed, each for one class and one kind. The
// zero value believes nobody. Several generations of an authority may be added under
// one name; which of them issued a certificate is told by its signature.
type Trust struct{ anchors []anchor }

type anchor struct {
	profile     *profile.Profile
	certificate *x509.Certificate
}

// Add believes the authority for certificates of that class and kind, as
// profile.Of describes them. Error: Refused "profile-mismatch" when the certificate is
// not an authority's.
func (t *Trust) Add(class profile.Class, kind warifu.Kind, authority *x509.Certificate) error {
	return t.AddProfile(profile.Of(class, kind), authority)
}

// AddProfile is Add with a profile of the caller's own, such as one with another
// policy or with fixed addresses.
func (t *Trust) AddProfile(p *profile.Profile, authority *x509.Certificate) error {
	if err := profile.CheckAuthority(authority); err != nil {
		return err
	}
	t.anchors = append(t.anchors, anchor{p, authority})
	return nil
}

// find returns the anchor for class and kind that signed c. Errors: Refused
// "certificate-authority-untrusted", and "certificate-authority-wrong" when an
// authority we do believe signed it, though not one for such certificates.
func (t *Trust) find(c *x509.Certificate, class profile.Class, kind warifu.Kind) (anchor, error) {
	elsewhere := false
	for _, a := range t.anchors {
		if !bytes.Equal(a.certificate.RawSubject, c.RawIssuer) {
			continue
		}
		if signed.Certificate(c, a.certificate.PublicKey) != nil {
			continue
		}
		if a.profile.Class == class && a.profile.Kind == kind {
			return a, nil
		}
		elsewhere = true
	}
	if elsewhere {
		return anchor{}, warifu.Refused("certificate-authority-wrong")
	}
	return anchor{}, warifu.Refused("certificate-authority-untrusted")
}
