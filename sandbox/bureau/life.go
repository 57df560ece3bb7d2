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
	kinds, early, err := r.due(p, now)
	if err != nil {
		return nil, err
	}
	before := p.CardIssued
	if p, err = renewedPerson(p, kinds, now, in); err != nil {
		return nil, err
	}
	plastic := r.Body
	if !p.CardIssued.Equal(before) {
		if plastic, err = b.newBody(p); err != nil {
			return nil, err
		}
	}
	certificates, err := b.certify(p, kinds, now, early)
	if err != nil {
		return nil, err
	}
	next := r.replace(func(c *certificate) *certificate {
		if c.final() || now.After(c.parsed.NotAfter) || !slices.Contains(kinds, c.Kind) {
			return c
		}
		return c.with(warifu.ReasonSuperseded, now)
	}).add(certificates...)
	next.Person, next.Body = p.Record(), plastic
	return next, nil
}

// due lists the kinds to renew, and whether that is early: while the old ones still live.
func (r *record) due(p person.Person, now time.Time) (kinds []warifu.Kind, early bool, err error) {
	opens := time.Time{}
	for _, kind := range kindsFor(p, now) {
		c := r.newest(kind)
		switch {
		case c == nil || c.final() || now.After(c.parsed.NotAfter):
			kinds = append(kinds, kind)
		case c.held():
			return nil, false, warifu.Conflict("card-state", "state", StateHeld)
		case !now.Before(renewalOpens(c.parsed.NotAfter)):
			kinds, early = append(kinds, kind), true
		default:
			opens = renewalOpens(c.parsed.NotAfter)
		}
	}
	if len(kinds) == 0 {
		return nil, false, warifu.Refused("renewal-too-early", "opens", opens.Format(time.DateOnly))
	}
	return kinds, early, nil
}

// renewedPerson writes the renewal into the person: the day, the first signing
// password, and a new card where the old one is about to end.
func renewedPerson(p person.Person, kinds []warifu.Kind, now time.Time, in Renewal) (person.Person, error) {
	p.CertificatesIssued, p.Condition = person.DateOf(now), person.Sound
	if !now.Before(renewalOpens(p.CardExpires())) {
		p.CardIssued, p.CardLimit = person.DateOf(now), time.Time{}
	}
	if slices.Contains(kinds, warifu.Signature) && p.PINs.Signature.Len() == 0 {
		p.PINs.Signature = in.Signature
	}
	if p.MaySign(now) && p.PINs.Signature.Len() == 0 {
		return p, warifu.Invalid("signature-password-needed")
	}
	_, err := p.Record().Person(now) // a password of the wrong form is refused here
	return p, err
}
