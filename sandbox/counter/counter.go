package counter

import (
	"context"

	"warifu"
	"warifu/chip"
	"warifu/jpki"
	"warifu/sandbox/bureau"
	"warifu/sandbox/field"
)

// Bureau is what the counter needs of the card bureau.
type Bureau interface {
	Card(id string) (*chip.Card, error)
	Show(id string) (bureau.View, error)
	Restored(id string, kind warifu.Kind, pin warifu.CardPIN) error
}

// Counter is the town hall's counter.
type Counter struct {
	bureau Bureau
	chips  *field.Field
	clock  warifu.Clock
}

// New opens a counter at which cards are held in the field.
func New(b Bureau, chips *field.Field, clock warifu.Clock) *Counter { return &Counter{b, chips, clock} }

// Change gives the card a new secret of the kind; the holder types the present one.
// Errors: "card-pin-malformed"; "card-pin-wrong" with the tries left and
// "card-pin-blocked" of package jpki, the latter to be cured by Unlock.
func (c *Counter) Change(ctx context.Context, id string, kind warifu.Kind, current, next warifu.CardPIN) error {
	if err := wellFormed(kind, next); err != nil {
		return err
	}
	held, err := c.chips.Hold(ctx, id)
	if err != nil {
		return err
	}
	defer held.PutAway()
	token, err := jpki.Select(ctx, held)
	if err != nil {
		return err
	}
	if err := token.VerifyCard(ctx, kind, current); err != nil {
		return err
	}
	if err := token.ChangeCard(ctx, kind, next); err != nil {
		return err
	}
	return c.bureau.Restored(id, kind, next)
}

// Unlock gives the card a new secret of the kind and all its tries, whether it was
// blocked or forgotten: the holder stands at the counter and was recognised. A secret
// whose own certificate is held, revoked or expired is not unlocked ("card-state"); what
// has become of the other certificate does not matter, as after a move, which ends the
// signing certificate alone. NotFound "card-secret-none" where the card has no such secret.
func (c *Counter) Unlock(ctx context.Context, id string, kind warifu.Kind, next warifu.CardPIN) error {
	if err := wellFormed(kind, next); err != nil {
		return err
	}
	if err := c.sound(id, kind); err != nil {
		return err
	}
	held, err := c.chips.Hold(ctx, id)
	if err != nil {
		return err
	}
	defer held.PutAway()
	return c.restore(id, kind, next)
}

// restore works on a card that is held.
func (c *Counter) restore(id string, kind warifu.Kind, next warifu.CardPIN) error {
	card, err := c.bureau.Card(id)
	if err != nil {
		return err
	}
	if err := card.Restore(kind, next); err != nil {
		return err
	}
	return c.bureau.Restored(id, kind, next)
}

// sound refuses a secret whose certificate no longer serves.
func (c *Counter) sound(id string, kind warifu.Kind) error {
	if _, err := c.bureau.Card(id); err != nil {
		return err
	}
	v, err := c.bureau.Show(id)
	if err != nil {
		return err
	}
	for _, x := range v.Certificates {
		if x.Kind != kind {
			continue
		}
		if state := x.State(c.clock.Now()); state != bureau.StateGood {
			return warifu.Conflict("card-state", "state", state)
		}
		return nil
	}
	return warifu.NotFound("card-secret-none", "kind", kind.String())
}

func wellFormed(kind warifu.Kind, pin warifu.CardPIN) error {
	if !kind.Valid() {
		return warifu.Invalid("kind-unknown", "kind", kind.String())
	}
	if !jpki.RuleOf(kind).Allows(pin.Reveal()) {
		return warifu.Invalid("card-pin-malformed", "kind", kind.String())
	}
	return nil
}
