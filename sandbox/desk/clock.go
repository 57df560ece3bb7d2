package desk

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/moment"
)

// Time is the world's time; it is also how the world's clock is moved: To an instant
// (RFC 3339), Forward by a duration ("2h30m"), or to what Words name, one of the three.
type Time struct {
	Now     time.Time `json:"now,omitzero"`
	To      time.Time `json:"to,omitzero"`
	Forward string    `json:"forward,omitempty"`
	Words   string    `json:"words,omitempty"` // package sandbox/moment: "19:31 today", 有効期限の翌日, "my 15th birthday"
	Card    string    `json:"card,omitempty"`  // whose events the words mean; "" takes whoever comes first
}

// Upcoming is what will fall due, in order.
type Upcoming struct {
	Now      time.Time    `json:"now"`
	Upcoming []moment.Due `json:"upcoming"`
}

func (d *Desk) time(http.ResponseWriter, *http.Request) (any, error) {
	return Time{Now: d.now()}, nil
}

// now is the world's time in the zone in which people read it.
func (d *Desk) now() time.Time { return d.config.Clock.Now().In(d.config.Scheme.Hours.Zone) }

func (d *Desk) moveTime(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Time
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	if err := d.move(r.Context(), in); err != nil {
		return nil, err
	}
	return d.time(w, r)
}

func (d *Desk) move(ctx context.Context, in Time) error {
	switch {
	case in.Words != "":
		at, err := d.meant(ctx, in.Words, in.Card)
		if err != nil {
			return err
		}
		in.To = at
	case in.Forward != "":
		by, err := time.ParseDuration(in.Forward)
		if err != nil {
			return warifu.Invalid("clock-malformed", "words", in.Forward)
		}
		in.To = d.config.Clock.Now().Add(by)
	}
	if in.To.IsZero() {
		return warifu.Invalid("clock-malformed", "words", "")
	}
	return d.config.Clock.To(ctx, in.To)
}

// meant is the instant that the words name in this world; card is whose events are meant,
// "" for whoever comes first.
func (d *Desk) meant(ctx context.Context, words, card string) (time.Time, error) {
	wish, err := moment.Parse(words)
	if err != nil {
		return time.Time{}, err
	}
	due, err := d.config.Calendar(ctx)
	if err != nil {
		return time.Time{}, err
	}
	views, err := d.config.Cards.Persons()
	if err != nil {
		return time.Time{}, err
	}
	births := map[string]time.Time{}
	for _, v := range views {
		births[v.Person.ID] = v.Person.Birth
	}
	return wish.In(moment.World{Now: d.now(), Hours: d.config.Scheme.Hours, Upcoming: due, Births: births, Me: card, Usual: onlyOne(due)})
}

// onlyOne is the card behind whatever lives on phones, where it is one.
func onlyOne(due []moment.Due) string {
	card := ""
	for _, d := range due {
		switch {
		case d.What != moment.Expiry || d.Card == card:
		case card != "":
			return ""
		default:
			card = d.Card
		}
	}
	return card
}

func (d *Desk) upcoming(_ http.ResponseWriter, r *http.Request) (any, error) {
	due, err := d.config.Calendar(r.Context())
	if due == nil {
		due = []moment.Due{}
	}
	return Upcoming{d.now(), due}, err
}
