package attest

import (
	"crypto"
	"crypto/ecdsa"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// ContextCardStatements separates the card bureau's word about many cards at once.
const ContextCardStatements Context = "warifu-card-statements-v1"

// Bounds of a paper about many cards.
const (
	MaxStatements      = 1000      // cards in one paper
	maxStatementsPaper = 256 << 10 // octets: some 170 for a card
)

// CardStatements is the card bureau's word about many cards, with one signature over all
// of it: what a sweep asks for to learn which cards are not as they were. It is no
// evidence about one of them; for that there is CardStatement.
type CardStatements struct {
	Nonce      warifu.Digest // drawn for the question
	ProducedAt time.Time     // to the second
	// Cards stand in the order of the question; one that the bureau does not know has no
	// certificates.
	Cards []StatedCard
}

// StatedCard is one card in CardStatements, as in a CardStatement.
type StatedCard struct {
	Person       warifu.Digest
	Certificates []CardCertificate // the one that was asked about, and the card's present one of the other kind
}

// Of returns the card's certificate of the kind, and whether there is one.
func (c StatedCard) Of(k warifu.Kind) (CardCertificate, bool) {
	return CardStatement{Certificates: c.Certificates}.Of(k)
}

// Seal encodes and signs with the bureau's statement key. Errors: TooLarge
// "paper-too-large" for more than MaxStatements cards.
func (s CardStatements) Seal(key crypto.Signer) ([]byte, error) {
	if len(s.Cards) > MaxStatements {
		return nil, warifu.TooLarge("paper-too-large", "paper", string(ContextCardStatements))
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1OctetString(s.Nonce[:])
		b.AddASN1GeneralizedTime(s.ProducedAt.UTC().Truncate(time.Second))
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, c := range s.Cards {
				b.AddASN1(asn1.SEQUENCE, c.add)
			}
		})
	})
	body, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	return Seal(ContextCardStatements, body, key)
}

func (c StatedCard) add(b *cryptobyte.Builder) {
	b.AddASN1OctetString(c.Person[:])
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, one := range c.Certificates {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(int64(one.Kind))
				b.AddASN1OctetString(one.Serial)
				b.AddASN1OctetString(one.Certificate[:])
				b.AddASN1Enum(int64(one.State))
				b.AddASN1Boolean(one.Held)
				b.AddASN1GeneralizedTime(one.NotAfter.UTC().Truncate(time.Second))
			})
		}
	})
}

// OpenCardStatements checks the bureau's signature and decodes. It reads by hand, not by
// reflection: a sweep over a million credentials opens half a million cards.
func OpenCardStatements(der []byte, pub *ecdsa.PublicKey) (CardStatements, error) {
	body, err := openUpTo(ContextCardStatements, der, pub, maxStatementsPaper)
	if err != nil {
		return CardStatements{}, err
	}
	in := cryptobyte.String(body)
	var s CardStatements
	var version int
	var paper, cards cryptobyte.String
	ok := in.ReadASN1(&paper, asn1.SEQUENCE) && in.Empty() && paper.ReadASN1Integer(&version) && version == 1 &&
		readDigest(&paper, &s.Nonce) && paper.ReadASN1GeneralizedTime(&s.ProducedAt) &&
		paper.ReadASN1(&cards, asn1.SEQUENCE) && paper.Empty()
	for ok && !cards.Empty() {
		var c StatedCard
		ok = len(s.Cards) < MaxStatements && c.read(&cards)
		s.Cards = append(s.Cards, c)
	}
	if !ok {
		return CardStatements{}, warifu.Invalid("paper-malformed", "paper", string(ContextCardStatements))
	}
	s.ProducedAt = s.ProducedAt.UTC()
	return s, nil
}

func (c *StatedCard) read(in *cryptobyte.String) bool {
	var card, certificates cryptobyte.String
	if !in.ReadASN1(&card, asn1.SEQUENCE) || !readDigest(&card, &c.Person) || !card.ReadASN1(&certificates, asn1.SEQUENCE) || !card.Empty() {
		return false
	}
	for last := 0; !certificates.Empty(); {
		var one cryptobyte.String
		var kind, state int
		var out CardCertificate
		if !certificates.ReadASN1(&one, asn1.SEQUENCE) || !one.ReadASN1Integer(&kind) || !one.ReadASN1Bytes(&out.Serial, asn1.OCTET_STRING) ||
			!readDigest(&one, &out.Certificate) || !one.ReadASN1Enum(&state) || !one.ReadASN1Boolean(&out.Held) ||
			!one.ReadASN1GeneralizedTime(&out.NotAfter) || !one.Empty() {
			return false
		}
		if kind <= last || kind > int(warifu.Authentication) || len(out.Serial) == 0 || len(out.Serial) > 20 || state < 0 || state > int(warifu.StatusRevoked) {
			return false
		}
		last = kind
		out.Kind, out.State, out.NotAfter = warifu.Kind(kind), warifu.CertStatus(state), out.NotAfter.UTC()
		c.Certificates = append(c.Certificates, out)
	}
	return true
}

func readDigest(in *cryptobyte.String, out *warifu.Digest) bool {
	var octets []byte
	return in.ReadASN1Bytes(&octets, asn1.OCTET_STRING) && copyExact(out[:], octets)
}
