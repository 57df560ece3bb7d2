package desk

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/registration"
	"warifu/sandbox/bureau"
	"warifu/sandbox/doorway"
	"warifu/sandbox/person"
)

// The events of a life that the desk registers at the card bureau.
const (
	EventMove       = "move"        // 転居: to another town, unless told where
	EventMarry      = "marry"       // 氏名の変更: another family name
	EventDie        = "die"         // 死亡
	EventRenew      = "renew"       // 電子証明書の更新, at the counter
	EventLoseCard   = "lose-card"   // カードの一時停止
	EventFindCard   = "find-card"   // 一時停止の解除
	EventRevokeCard = "revoke-card" // カードの失効
	EventBirthday   = "birthday"    // the clock goes to the fifteenth birthday, or to the next one
)

// Events lists them in the order in which the page offers them.
var Events = []string{EventMove, EventMarry, EventRenew, EventLoseCard, EventFindCard, EventRevokeCard, EventBirthday, EventDie}

// Happening is an event in a person's life. What the credentials on their phone make of
// it has happened when the answer comes.
type Happening struct {
	Event     string `json:"event"`
	Signature string `json:"signature,omitempty"` // the *card's* first signing password, for a renewal at fifteen
}

func (d *Desk) cardEvent(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Happening
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	return d.happen(r.Context(), r.PathValue("id"), in)
}

// Happened is what a person and their card are after an event, and what followed from it.
type Happened struct {
	Card
	Now     time.Time            `json:"now"`
	Cascade []registration.Cause `json:"cascade"` // a tree for each event that the card bureau told of
}

// happen registers the event and waits for what follows from it.
func (d *Desk) happen(ctx context.Context, id string, in Happening) (Happened, error) {
	view, err := d.config.Cards.Show(id)
	if err != nil {
		return Happened{}, err
	}
	cascade, err := d.config.Cascade(ctx, func() error {
		if in.Event == EventBirthday {
			return d.config.Clock.To(ctx, birthday(view.Person, d.now()))
		}
		return d.register(view.Person, in)
	})
	if err != nil {
		return Happened{}, err
	}
	view, err = d.config.Cards.Show(id)
	return Happened{d.cardOf(view), d.now(), cascade}, err
}

func (d *Desk) register(p person.Person, in Happening) error {
	switch in.Event {
	case EventMove:
		return d.config.Cards.Move(p.ID, p.Elsewhere())
	case EventMarry:
		return d.config.Cards.ChangeName(p.ID, p.Married())
	case EventDie:
		return d.config.Cards.Die(p.ID)
	case EventRenew:
		return d.renew(p.ID, in.Signature)
	case EventLoseCard:
		return d.config.Cards.Suspend(p.ID)
	case EventFindCard:
		return d.config.Cards.Resume(p.ID)
	case EventRevokeCard:
		return d.config.Cards.Revoke(p.ID, warifu.ReasonCessationOfOperation)
	}
	return warifu.Invalid("card-event-unknown", "event", in.Event)
}

func (d *Desk) renew(id, typed string) error {
	var in bureau.Renewal
	if typed != "" {
		pin, err := d.config.Scheme.CardPIN(warifu.Signature, typed)
		if err != nil {
			return err
		}
		in.Signature = pin
	}
	return d.config.Cards.Renew(id, in)
}

// birthday is the morning of the person's fifteenth birthday, or of the next one.
func birthday(p person.Person, now time.Time) time.Time {
	on := func(year int) time.Time {
		return time.Date(year, p.Birth.Month(), p.Birth.Day(), 0, 0, 0, 0, now.Location())
	}
	at := on(p.Birth.Year() + person.SigningAge)
	for !at.After(now) {
		at = on(max(at.Year(), now.Year()-1) + 1)
	}
	return at
}
