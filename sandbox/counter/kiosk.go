package counter

import (
	"context"
	"time"

	"warifu"
	"warifu/jpki"
	"warifu/sandbox/folder"
	"warifu/sandbox/person"
)

// The kiosk's hours, as time of day in Tokyo, and how long a booking stands (B.3).
const (
	kioskOpens  = 6*time.Hour + 30*time.Minute
	kioskCloses = 23 * time.Hour
	bookingLife = 24 * time.Hour
)

// Kiosk is the multi-function terminal of a convenience store.
type Kiosk struct {
	counter  *Counter
	clock    warifu.Clock
	bookings folder.Folder
}

// booking is a face check that the app passed on: who, for which secret, when.
type booking struct {
	Kind warifu.Kind `json:"kind"`
	At   time.Time   `json:"at"`
}

// NewKiosk places a kiosk beside the counter; its bookings lie in the folder.
func NewKiosk(c *Counter, clock warifu.Clock, bookings folder.Folder) *Kiosk {
	return &Kiosk{c, clock, bookings}
}

// Book notes that the holder's face was checked by the app and that they will come to
// have the secret of the kind unlocked. A later booking replaces an earlier one.
func (k *Kiosk) Book(id string, kind warifu.Kind) error {
	if !kind.Valid() {
		return warifu.Invalid("kind-unknown", "kind", kind.String())
	}
	if err := k.counter.sound(id, kind); err != nil {
		return err
	}
	return k.bookings.WriteJSON(id+".json", booking{kind, k.clock.Now().UTC()})
}

// Unlock gives the card a new secret of the booked kind; the holder types the other
// secret of the card. A booking serves once. Errors: Refused "kiosk-closed", Refused
// "kiosk-not-booked", "card-pin-malformed", and those of verifying the other secret.
func (k *Kiosk) Unlock(ctx context.Context, id string, kind warifu.Kind, other, next warifu.CardPIN) error {
	if err := wellFormed(kind, next); err != nil {
		return err
	}
	if err := k.admit(id, kind); err != nil {
		return err
	}
	held, err := k.counter.chips.Hold(ctx, id)
	if err != nil {
		return err
	}
	defer held.PutAway()
	token, err := jpki.Select(ctx, held)
	if err != nil {
		return err
	}
	if err := token.VerifyCard(ctx, Other(kind), other); err != nil {
		return err
	}
	if err := k.counter.restore(id, kind, next); err != nil {
		return err
	}
	return k.bookings.WriteJSON(id+".json", booking{Kind: kind}) // used: of no day any more
}

// admit looks at the clock, the booking and the card.
func (k *Kiosk) admit(id string, kind warifu.Kind) error {
	now := k.clock.Now()
	if at := now.Sub(person.DateOf(now)); at < kioskOpens || at >= kioskCloses {
		return warifu.Refused("kiosk-closed")
	}
	if err := k.counter.sound(id, kind); err != nil {
		return err
	}
	var b booking
	if there, err := k.bookings.ReadJSON(id+".json", &b); err != nil {
		return err
	} else if !there || b.Kind != kind || now.Sub(b.At) >= bookingLife {
		return warifu.Refused("kiosk-not-booked")
	}
	return nil
}

// Other is the card's other secret, which a kiosk asks for.
func Other(kind warifu.Kind) warifu.Kind {
	if kind == warifu.Signature {
		return warifu.Authentication
	}
	return warifu.Signature
}
