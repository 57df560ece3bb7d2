package bureau

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"

	"warifu"
	"warifu/attest"
	"warifu/profile"
)

// handle is the opaque name of a person in card statements: HMAC-SHA256 of the
// identifier under the world's key, the same over every renewal and meaningless
// outside.
func (b *Bureau) handle(id string) warifu.Digest {
	mac := hmac.New(sha256.New, b.handleKey)
	mac.Write([]byte("warifu-person-v1\x00" + id))
	return warifu.Digest(mac.Sum(nil))
}

// Statement signs the bureau's word about the card that carries, or carried, the
// certificate: that certificate, the card's present one of the other kind, the state
// of both, bound to the nonce. Errors: Invalid "bureau-request-malformed", NotFound
// "card-certificate-unknown".
func (b *Bureau) Statement(der []byte, nonce warifu.Digest) ([]byte, error) {
	asked, err := x509.ParseCertificate(der)
	if err != nil || nonce.IsZero() {
		return nil, warifu.Invalid("bureau-request-malformed").With(err)
	}
	_, kind, _ := profile.ClassOf(asked)
	c, h := b.findCertificate(kind, asked.SerialNumber.Bytes())
	if c == nil || warifu.DigestOf(c.DER) != warifu.DigestOf(der) {
		return nil, warifu.NotFound("card-certificate-unknown")
	}
	s := attest.CardStatement{Nonce: nonce, Person: b.handle(h.id), ProducedAt: b.config.Clock.Now()}
	for _, other := range h.now.Load().onChip() {
		if other.Kind == kind {
			other = c
		}
		s.Certificates = append(s.Certificates, describe(other))
	}
	return s.Seal(b.statement)
}

func describe(c *certificate) attest.CardCertificate {
	return attest.CardCertificate{
		Kind: c.Kind, Serial: c.serial(), Certificate: warifu.DigestOf(c.DER),
		State: c.status().Cert, Held: c.held(), NotAfter: c.parsed.NotAfter,
	}
}
