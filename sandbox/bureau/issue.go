package bureau

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/person"
)

// Issue issues the person's card if that has not happened yet: one RSA-2048 key and one
// certificate of each kind (no signing certificate under fifteen, B.2), in the state
// that befell the card before the world began.
func (b *Bureau) Issue(id string) error {
	h, err := b.find(id)
	if err != nil {
		return err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	return b.issueFirst(h)
}

// issueFirst is Issue under h.changing.
func (b *Bureau) issueFirst(h *holder) error {
	if h.now.Load() != nil {
		return nil
	}
	p, now := h.listed, b.config.Clock.Now()
	var certificates []*certificate
	var plastic body
	err := atOnce(
		func() (err error) {
			certificates, err = b.certify(p, allDue(p, p.CertificatesIssued), forenoon(p.CertificatesIssued, now))
			return err
		},
		func() (err error) { plastic, err = b.newBody(p); return err },
	)
	if err != nil {
		return err
	}
	r := (&record{Person: p.Record(), Body: plastic}).add(certificates...)
	return b.change(h, func(*record) (*record, error) { return r.befallen(p.Condition, now), nil })
}

// befallen puts the certificates of a new record into the state of the condition.
func (r *record) befallen(c person.Condition, now time.Time) *record {
	switch c {
	case person.Suspended:
		return r.replace(func(c *certificate) *certificate { return c.with(warifu.ReasonCertificateHold, now) })
	case person.Revoked:
		return r.replace(func(c *certificate) *certificate { return c.with(warifu.ReasonCessationOfOperation, now) })
	}
	return r
}

// due is a certificate to be issued.
type due struct {
	kind  warifu.Kind
	early bool // it replaces one that still lives (B.2: the sixth birthday)
}

// allDue lists the certificates of a first issue.
func allDue(p person.Person, at time.Time) []due {
	var out []due
	for _, kind := range kindsFor(p, at) {
		out = append(out, due{kind: kind})
	}
	return out
}

// kindsFor lists the certificates a person of that age may have.
func kindsFor(p person.Person, at time.Time) []warifu.Kind {
	if p.MaySign(at) {
		return warifu.Kinds[:]
	}
	return []warifu.Kind{warifu.Authentication}
}

// certify makes keys and certificates of what is due.
func (b *Bureau) certify(p person.Person, what []due, at time.Time) ([]*certificate, error) {
	out := make([]*certificate, len(what))
	steps := make([]func() error, len(what))
	for i, d := range what {
		steps[i] = func() (err error) { out[i], err = b.certifyOne(p, d.kind, at, expiry(p, at, d.early)); return err }
	}
	if err := atOnce(steps...); err != nil {
		return nil, fmt.Errorf("issue a card's certificates: %w", err)
	}
	return out, nil
}

func (b *Bureau) certifyOne(p person.Person, kind warifu.Kind, notBefore, notAfter time.Time) (*certificate, error) {
	key, err := b.config.NewKey()
	if err != nil {
		return nil, err
	}
	c := &certificate{Kind: kind}
	if c.Key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, err
	}
	in := profile.EndEntity{
		Prefecture: p.Municipality.PrefectureRoman, Municipality: p.Municipality.NameRoman,
		NotBefore: notBefore, NotAfter: notAfter,
	}
	if in.PublicKey, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return nil, err
	}
	if in.Serial, err = b.freshSerial(kind); err != nil {
		return nil, err
	}
	if in.CommonName, err = commonName(p); err != nil {
		return nil, err
	}
	if kind == warifu.Signature {
		in.Attributes = attributes(p)
	}
	if c.DER, err = b.authorities[kind].issue(in); err != nil {
		return nil, err
	}
	return c, c.revive()
}

// attributes are the four attributes and the substitution strings of a signing certificate.
func attributes(p person.Person) profile.Attributes {
	return profile.Attributes{
		Name: p.Name, NameSubstitution: p.NameSubstitution, Gender: p.Sex.CertificateCode(),
		BirthDate: p.BirthCode(), Address: p.Address, AddressSubstitution: p.AddressSubstitution,
	}
}

// freshSerial draws serial numbers until one was never used, and takes it.
func (b *Bureau) freshSerial(kind warifu.Kind) ([]byte, error) {
	for {
		serial, err := randomSerial()
		if err != nil {
			return nil, err
		}
		b.mu.Lock()
		_, used := b.serials[kind][string(serial)]
		if !used {
			b.serials[kind][string(serial)] = nil // taken; change names the holder
		}
		b.mu.Unlock()
		if !used {
			return serial, nil
		}
	}
}

// commonName is opaque: fourteen random characters, the municipality's code and a
// counter, the shape of the measured "997794E9AGCIEG13221003A" (docs/card-facts.md §2.2).
func commonName(p person.Person) (string, error) {
	random, err := randomText("0123456789ABCDEFGHIJ", 14)
	return random + p.Municipality.Code + "001A", err
}

func randomDigits(n int) (string, error) { return randomText("0123456789", n) }

func randomText(alphabet string, n int) (string, error) {
	out := make([]byte, n)
	for i := range out {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		out[i] = alphabet[k.Int64()]
	}
	return string(out), nil
}
