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
	s, err := b.stateOf(der, nonce)
	if err != nil {
		return nil, err
	}
	return s.Seal(b.statement)
}

// Question is what one card statement is asked for with.
type Question struct {
	Certificate []byte        `json:"certificate"`
	Nonce       warifu.Digest `json:"nonce"`
}

// StatementsTogether answers several questions as Statement would, with one signature for
// all (attest.SealTogether), in their order. Where one has no answer, the place is nil:
// asked by itself it is told why. Errors: Invalid "bureau-request-malformed", also for more
// than attest.MaxTogether.
func (b *Bureau) StatementsTogether(questions []Question) ([][]byte, error) {
	if len(questions) == 0 || len(questions) > attest.MaxTogether {
		return nil, warifu.Invalid("bureau-request-malformed")
	}
	var stated []attest.CardStatement
	var places []int
	for i, q := range questions {
		if s, err := b.stateOf(q.Certificate, q.Nonce); err == nil {
			stated, places = append(stated, s), append(places, i)
		}
	}
	out := make([][]byte, len(questions))
	if len(stated) == 0 {
		return out, nil
	}
	sealed, err := attest.SealTogether(stated, b.statement)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		out[place] = sealed[i]
	}
	return out, nil
}

func (b *Bureau) stateOf(der []byte, nonce warifu.Digest) (attest.CardStatement, error) {
	asked, err := x509.ParseCertificate(der)
	if err != nil || nonce.IsZero() {
		return attest.CardStatement{}, warifu.Invalid("bureau-request-malformed").With(err)
	}
	_, kind, _ := profile.ClassOf(asked)
	c, h := b.findCertificate(kind, asked.SerialNumber.Bytes())
	if c == nil || warifu.DigestOf(c.DER) != warifu.DigestOf(der) {
		return attest.CardStatement{}, warifu.NotFound("card-certificate-unknown")
	}
	s := attest.CardStatement{Nonce: nonce, Person: b.handle(h.id), ProducedAt: b.config.Clock.Now()}
	for _, other := range h.now.Load().onChip() {
		if other.Kind == kind {
			other = c
		}
		s.Certificates = append(s.Certificates, describe(other))
	}
	return s, nil
}

func describe(c *certificate) attest.CardCertificate {
	return attest.CardCertificate{
		Kind: c.Kind, Serial: c.serial(), Certificate: warifu.DigestOf(c.DER),
		State: c.status().Cert, Held: c.held(), NotAfter: c.parsed.NotAfter,
	}
}

// Statements signs the bureau's word about the cards that carry, or carried, the signing
// certificates with these serial numbers, in their order, for a sweep that looks for what
// it was not told. A serial number that was never given has no certificates in the
// answer. Errors: Invalid "bureau-request-malformed", also for more than
// attest.MaxStatements.
func (b *Bureau) Statements(serials [][]byte, nonce warifu.Digest) ([]byte, error) {
	if nonce.IsZero() || len(serials) == 0 || len(serials) > attest.MaxStatements {
		return nil, warifu.Invalid("bureau-request-malformed")
	}
	s := attest.CardStatements{Nonce: nonce, ProducedAt: b.config.Clock.Now(), Cards: make([]attest.StatedCard, len(serials))}
	for i, serial := range serials {
		c, h := b.findCertificate(warifu.Signature, serial)
		if c == nil {
			continue
		}
		s.Cards[i].Person = b.handle(h.id)
		for _, other := range h.now.Load().onChip() {
			if other.Kind == warifu.Signature {
				other = c
			}
			s.Cards[i].Certificates = append(s.Cards[i].Certificates, describe(other))
		}
	}
	return s.Seal(b.statement)
}
