package bureau

import (
	"slices"
	"time"

	"warifu"
	"warifu/events"
	"warifu/sandbox/person"
)

// Suspend puts every live certificate of the card on hold (the line of B.5). A card
// with none is Conflict "card-state".
func (b *Bureau) Suspend(id string) error {
	return b.move(id, events.Event{Type: events.Suspended}, func(c *certificate, now time.Time) *certificate {
		if !c.RevokedAt.IsZero() {
			return c
		}
		return c.with(warifu.ReasonCertificateHold, now)
	})
}

// Resume lifts the hold of every held certificate of the card; a card with none is
// Conflict "card-state".
func (b *Bureau) Resume(id string) error {
	return b.move(id, events.Event{Type: events.Resumed}, func(c *certificate, _ time.Time) *certificate {
		if !c.held() {
			return c
		}
		return c.with(0, time.Time{})
	})
}

// Revoke ends every certificate of the card that is not ended yet, held or not, for
// good. A card with none is Conflict "card-state", a reason that does not end a
// certificate Invalid "bureau-request-malformed".
func (b *Bureau) Revoke(id string, reason warifu.Reason) error {
	if !reason.Valid() || reason == warifu.ReasonCertificateHold || reason == warifu.ReasonRemoveFromCRL {
		return warifu.Invalid("bureau-request-malformed")
	}
	return b.move(id, events.Event{Type: events.Revoked, Reason: reason}, func(c *certificate, now time.Time) *certificate {
		if c.final() {
			return c
		}
		return c.with(reason, now)
	})
}

// move applies f to the certificates on the chip, tells of those it changed, and refuses
// what changes nothing.
func (b *Bureau) move(id string, e events.Event, f func(*certificate, time.Time) *certificate) error {
	return b.live(id, func(h *holder, r *record, now time.Time) (*record, error) {
		next, changed := r.replaced(func(c *certificate) *certificate { return f(c, now) })
		if len(changed) == 0 {
			return nil, warifu.Conflict("card-state", "state", r.state(now))
		}
		e.At = now
		return b.telling(h, next, e, changed)
	})
}

// What a card is as a whole: the worst of what its certificates are.
const (
	StateGood    = "good"
	StateExpired = "expired"
	StateHeld    = "held"
	StateRevoked = "revoked"
)

func (r *record) state(now time.Time) string {
	worst := StateGood
	for _, c := range r.onChip() {
		switch {
		case c.final():
			return StateRevoked
		case c.held():
			worst = StateHeld
		case now.After(c.parsed.NotAfter) && worst == StateGood:
			worst = StateExpired
		}
	}
	return worst
}

// Renewal is what the holder brings to the counter.
type Renewal struct {
	// Signature is the new signing password, needed when the card gets its first signing
	// certificate (the holder has turned fifteen) and ignored otherwise.
	Signature warifu.CardPIN
}

// Renew issues new certificates in place of those that are due: ended, expired, within
// three months of their end, or missing although the holder is old enough. What they
// replace is superseded; a card that is itself due is issued anew. The person's
// handle in card statements stays the same. Errors: Conflict "card-state" for a held
// card, Refused "renewal-too-early" naming the day it opens, Invalid
// "signature-password-needed".
func (b *Bureau) Renew(id string, in Renewal) error {
	return b.live(id, func(h *holder, r *record, now time.Time) (*record, error) {
		next, err := b.renewed(h, r, in, now)
		if err == nil {
			h.withdraw() // the next touch personalizes the card again, from whatever record then stands
		}
		return next, err
	})
}

func (b *Bureau) renewed(h *holder, r *record, in Renewal, now time.Time) (*record, error) {
	if !r.Died.IsZero() {
		return nil, warifu.Conflict("card-state", "state", r.state(now))
	}
	p, err := h.person()
	if err != nil {
		return nil, err
	}
	what, err := r.due(p, now)
	if err != nil {
		return nil, err
	}
	before := p.CardIssued
	if p, err = renewedPerson(p, now, in); err != nil {
		return nil, err
	}
	plastic, err := b.printed(r, p, !p.CardIssued.Equal(before))
	if err != nil {
		return nil, err
	}
	certificates, err := b.certify(p, what, now)
	if err != nil {
		return nil, err
	}
	next := r.replace(func(c *certificate) *certificate {
		if slices.Contains(what, due{c.Kind, true}) {
			return c.with(warifu.ReasonSuperseded, now)
		}
		return c
	}).add(certificates...)
	next.Person, next.Body, next.Unprinted = p.Record(), plastic, false
	return b.telling(h, next, events.Event{Type: events.Renewed, At: now}, r.behind(what))
}

// printed returns the plastic after a visit to the counter: a new one, the same with the
// register's new entry on it, or the same.
func (b *Bureau) printed(r *record, p person.Person, anew bool) (body, error) {
	switch {
	case anew:
		return b.newBody(p)
	case r.Unprinted:
		return b.print(r.Body, p)
	}
	return r.Body, nil
}

// behind lists the certificates that stand on the chip where new ones are due.
func (r *record) behind(what []due) []*certificate {
	var out []*certificate
	for _, c := range r.onChip() {
		if slices.ContainsFunc(what, func(d due) bool { return d.kind == c.Kind }) {
			out = append(out, c)
		}
	}
	return out
}

// due lists what may be renewed; a certificate that still lives, only in its last months.
func (r *record) due(p person.Person, now time.Time) ([]due, error) {
	var out []due
	var opens time.Time
	for _, kind := range kindsFor(p, now) {
		c := r.newest(kind)
		switch {
		case c == nil || c.final() || now.After(c.parsed.NotAfter):
			out = append(out, due{kind: kind})
		case c.held():
			return nil, warifu.Conflict("card-state", "state", StateHeld)
		case !now.Before(renewalOpens(c.parsed.NotAfter)):
			out = append(out, due{kind, true})
		default:
			opens = renewalOpens(c.parsed.NotAfter)
		}
	}
	if len(out) == 0 {
		return nil, warifu.Refused("renewal-too-early", "opens", opens.Format(time.DateOnly))
	}
	return out, nil
}

// renewedPerson writes the renewal into the person: the day, the first signing
// password, and a new card where the old one is about to end.
func renewedPerson(p person.Person, now time.Time, in Renewal) (person.Person, error) {
	p.CertificatesIssued = person.DateOf(now)
	if p.Condition != person.Locked { // that is the chip's, which renewal leaves locked
		p.Condition = person.Sound
	}
	if !now.Before(renewalOpens(p.CardExpires())) {
		p.CardIssued, p.CardLimit, p.Condition = person.DateOf(now), time.Time{}, person.Sound
	}
	if p.MaySign(now) && p.PINs.Signature.Len() == 0 {
		if in.Signature.Len() == 0 {
			return p, warifu.Invalid("signature-password-needed")
		}
		p.PINs.Signature = in.Signature
	}
	_, err := p.Record().Person(now) // a password of the wrong form is refused here
	return p, err
}
