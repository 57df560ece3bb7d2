package bureau

import (
	"crypto/x509"
	"time"

	"warifu"
	"warifu/sandbox/person"
)

// View is what the desk and `warifu card show` say of a person and their card. It
// carries the PINs: it never leaves the sandbox.
type View struct {
	Person       person.Person
	Handle       warifu.Digest // the opaque handle of card statements and events
	Issued       bool          // false: the card waits to be touched for the first time
	State        string        // StateGood …; "" before the card was issued
	CardSerial   string
	CardExpires  time.Time
	Died         time.Time         // zero for the living
	Unprinted    bool              // name or address changed since the card was last at the counter
	Certificates []CertificateView // on the chip now, in order of kind
}

// CertificateView is one certificate of a card.
type CertificateView struct {
	Kind        warifu.Kind
	Certificate *x509.Certificate
	Status      warifu.Status
}

// State is what the certificate is at an instant: StateGood, StateHeld, StateRevoked or
// StateExpired.
func (c CertificateView) State(now time.Time) string {
	switch {
	case c.Status.Cert == warifu.StatusRevoked && c.Status.Reason == warifu.ReasonCertificateHold:
		return StateHeld
	case c.Status.Cert == warifu.StatusRevoked:
		return StateRevoked
	case now.After(c.Certificate.NotAfter):
		return StateExpired
	}
	return StateGood
}

// Persons lists everybody in the order in which they came.
func (b *Bureau) Persons() ([]View, error) {
	var out []View
	for _, id := range b.ids() {
		v, err := b.Show(id)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Show returns one person's view without touching the card.
func (b *Bureau) Show(id string) (View, error) {
	h, err := b.find(id)
	if err != nil {
		return View{}, err
	}
	p, err := h.person()
	if err != nil {
		return View{}, err
	}
	v := View{Person: p, Handle: b.handle(id), CardExpires: p.CardExpires()}
	r := h.now.Load()
	if r == nil {
		return v, nil
	}
	v.Issued, v.State, v.CardSerial = true, r.state(b.config.Clock.Now()), r.Body.Serial
	v.Died, v.Unprinted = r.Died, r.Unprinted
	for _, c := range r.onChip() {
		v.Certificates = append(v.Certificates, CertificateView{c.Kind, c.parsed, c.status()})
	}
	return v, nil
}

// New lists a further person, whose card is issued when it is first touched. Relative
// dates count from now; certificates of a day to come, or older than the authority,
// are refused. Errors: Conflict "person-exists", and those of person.Record.Person.
func (b *Bureau) New(in person.Record) (person.Person, error) {
	now := b.config.Clock.Now()
	p, err := in.Person(now)
	if err != nil {
		return person.Person{}, err
	}
	if p.CertificatesIssued.After(now) || p.CertificatesIssued.Before(b.authorities[warifu.Signature].certificate.NotBefore) {
		return person.Person{}, warifu.Invalid("person-invalid", "field", "certificates_issued")
	}
	b.adding.Lock()
	defer b.adding.Unlock()
	if _, err := b.find(p.ID); err == nil {
		return person.Person{}, warifu.Conflict("person-exists")
	}
	if err := b.cards.WriteJSON(p.ID+".json", record{Person: p.Record()}); err != nil {
		return person.Person{}, err
	}
	b.list(p)
	return p, nil
}

// Resident makes and lists the next generated person: `warifu card new` without particulars.
func (b *Bureau) Resident() (person.Person, error) {
	g := person.Generator{Seed: uint64(b.start.Unix()), Start: b.start}
	for index := len(b.ids()); ; index++ {
		p := g.Person(index)
		if _, err := b.find(p.ID); err != nil {
			return b.New(p.Record())
		}
	}
}
