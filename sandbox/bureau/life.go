package bureau

import (
	"slices"
	"time"

	"warifu"
	"warifu/sandbox/person"
)

// Suspend puts every live certificate of the card on hold (the line of B.5). A card
// with none is Conflict "card-state".
func (b *Bureau) Suspend(id string) error {
	return b.move(id, func(c *certificate, now time.Time) *certificate {
		if !c.RevokedAt.IsZero() {
			return c
		}
		return c.with(warifu.ReasonCertificateHold, now)
	})
}

// Resume lifts the hold of every held certificate of the card; a card with none is
// Conflict "card-state".
func (b *Bureau) Resume(id string) error {
	return b.move(id, func(c *certificate, _ time.Time) *certificate {
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
	return b.move(id, func(c *certificate, now time.Time) *certificate {
		if c.final() {
			return c
		}
		return c.with(reason, now)
	})
}

// move applies f to the certificates on the chip and refuses what changes nothing.
func (b *Bureau) move(id string, f func(*certificate, time.Time) *certificate) error {
	h, err := b.find(id)
	if err != nil {
		return err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	if err := b.issueFirst(h); err != nil {
		return err
	}
	return b.change(h, func(r *record) (*record, error) {
		now, moved := b.config.Clock.Now(), false
		next := r.replace(func(c *certificate) *certificate {
			n := f(c, now)
			moved = moved || n != c
			return n
		})
		if !moved {
			return nil, warifu.Conflict("card-state", "state", r.state(now))
		}
		return next, nil
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
	h, err := b.find(id)
	if err != nil {
		return err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	if err := b.issueFirst(h); err != nil {
		return err
	}
	if err := b.change(h, func(r *record) (*record, error) { return b.renewed(h, r, in) }); err != nil {
		return err
	}
	h.withdraw()
	return nil
}

func (b *Bureau) renewed(h *holder, r *record, in Renewal) (*record, error) {
	now := b.config.Clock.Now()
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
	plastic := r.Body
	if !p.CardIssued.Equal(before) {
		if plastic, err = b.newBody(p); err != nil {
			return nil, err
		}
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
	next.Person, next.Body = p.Record(), plastic
	return next, nil
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
