package attest

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"
	"time"

	"warifu"
	"warifu/signed"
)

// CardCertificate is one certificate of a card in a card statement.
type CardCertificate struct {
	Kind        warifu.Kind
	Serial      []byte // big-endian, no sign octet
	Certificate warifu.Digest
	State       warifu.CertStatus
	Held        bool // State is revoked with certificateHold
	NotAfter    time.Time
}

// CardStatement is the card bureau's word about one card (design §3.3): which two
// certificates it carries and in what state, and an opaque handle of the person
// that stays the same over renewals. One device a person, supersession and each
// credential's own parent follow from it and from nothing the phone says.
type CardStatement struct {
	Nonce        warifu.Digest // identity of the application document it was asked for
	Person       warifu.Digest // the bureau's opaque, stable handle
	ProducedAt   time.Time     // to the second
	Certificates []CardCertificate
}

type wireCardCertificate struct {
	Kind        int
	Serial      []byte
	Certificate []byte
	State       asn1.Enumerated
	Held        bool
	NotAfter    time.Time `asn1:"generalized"`
}

type wireCardStatement struct {
	Version      int
	Nonce        []byte
	Person       []byte
	ProducedAt   time.Time `asn1:"generalized"`
	Certificates []wireCardCertificate
}

// Seal encodes and signs with the bureau's statement key.
func (s CardStatement) Seal(key crypto.Signer) ([]byte, error) {
	body, err := s.body()
	if err != nil {
		return nil, err
	}
	return Seal(ContextCardStatement, body, key)
}

func (s CardStatement) body() ([]byte, error) {
	w := wireCardStatement{1, s.Nonce[:], s.Person[:], s.ProducedAt.UTC().Truncate(time.Second), nil}
	for _, c := range s.Certificates {
		w.Certificates = append(w.Certificates, wireCardCertificate{
			int(c.Kind), c.Serial, c.Certificate[:], asn1.Enumerated(c.State), c.Held, c.NotAfter.UTC().Truncate(time.Second),
		})
	}
	return asn1.Marshal(w)
}

// OpenCardStatement checks the bureau's signature, over this statement or over several
// (SealTogether), and decodes.
func OpenCardStatement(der []byte, pub *ecdsa.PublicKey) (CardStatement, error) {
	if body, ok, err := openShared(der, pub); err != nil {
		return CardStatement{}, err
	} else if ok {
		return statements.Of(body)
	}
	body, err := Open(ContextCardStatement, der, pub)
	if err != nil {
		return CardStatement{}, err
	}
	return statements.Of(body)
}

var statements = signed.NewRead(parseCardStatement)

func parseCardStatement(body []byte) (CardStatement, error) {
	var w wireCardStatement
	if err := parseStrict(ContextCardStatement, body, &w); err != nil {
		return CardStatement{}, err
	}
	s := CardStatement{ProducedAt: w.ProducedAt.UTC()}
	ok := w.Version == 1 && copyExact(s.Nonce[:], w.Nonce) && copyExact(s.Person[:], w.Person)
	last := 0
	for _, c := range w.Certificates {
		out := CardCertificate{Kind: warifu.Kind(c.Kind), Serial: c.Serial, State: warifu.CertStatus(c.State), Held: c.Held, NotAfter: c.NotAfter.UTC()}
		ok = ok && c.Kind > last && c.Kind <= int(warifu.Authentication) && len(c.Serial) > 0 && len(c.Serial) <= 20 &&
			copyExact(out.Certificate[:], c.Certificate) && c.State >= 0 && c.State <= asn1.Enumerated(warifu.StatusRevoked)
		last = c.Kind
		s.Certificates = append(s.Certificates, out)
	}
	if !ok {
		return CardStatement{}, warifu.Invalid("paper-malformed", "paper", string(ContextCardStatement))
	}
	return s, nil
}

// Of returns the card's certificate of the kind, and whether there is one.
func (s CardStatement) Of(k warifu.Kind) (CardCertificate, bool) {
	for _, c := range s.Certificates {
		if c.Kind == k {
			return c, true
		}
	}
	return CardCertificate{}, false
}
