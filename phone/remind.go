package phone

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/text"
)

// Reminder is something the holder should know without having asked: an end that comes or
// has come, a hold that is still open, a phone that is about to replace this one.
type Reminder struct {
	Occasion string        `json:"occasion"` // one of those below
	Kinds    []warifu.Kind `json:"kinds,omitempty"`
	At       time.Time     `json:"at,omitzero"` // of the end, of a repair's hold too, or of the replacement
	// Listing is the marketplace's question, for whoever answers that one alone.
	Listing string `json:"listing,omitempty"`
	Sentence
}

// The occasions of reminders; each has a sentence "phone.reminder.…".
const (
	RemindQuarter    = "expiry-3m" // less than three months are left, then one, then a week (R56)
	RemindMonth      = "expiry-1m"
	RemindWeek       = "expiry-1w"
	RemindExpired    = "expired"    // and how to apply anew
	RemindRevoked    = "revoked"    // with a card event, too
	RemindSuperseded = "superseded" // by another phone
	RemindLost       = "lost"       // a loss hold is open (R77)
	RemindRepair     = "repair"
	RemindReplaced   = "replaced" // a newer phone may take over from then on (R55)
	RemindLapsed     = "lapsed"   // issued, and not fetched in time (K14)
	RemindListed     = "listed"   // a marketplace asks: somebody offered this phone (R81)
)

// Reminders looks at what is in this phone and what the server says of it. It takes no
// secret; a phone with nothing to be told returns none.
func (a *App) Reminders(ctx context.Context) ([]Reminder, error) {
	state, err := a.State()
	if err != nil {
		return nil, err
	}
	life, err := a.life(ctx)
	if err != nil {
		return nil, err
	}
	out := a.remindersOf(life)
	for _, q := range life.Listings {
		out = append(out, a.remindAsked(q))
	}
	if state.Application == "" {
		return out, nil
	}
	standing, err := a.Server.Life(ctx, state.Application)
	if err != nil {
		return nil, err
	}
	if standing.ReplacedBy != nil {
		out = append(out, a.reminder(RemindReplaced, nil, *standing.ReplacedBy))
	}
	if application, err := a.Server.Application(ctx, state.Application); err == nil && application.State == warifu.ApplicationLapsed {
		out = append(out, a.reminder(RemindLapsed, nil, time.Time{}))
	}
	return out, nil
}

// remindersOf tells of the newest credential of each kind; kinds of one fate share a reminder.
func (a *App) remindersOf(life ElementLife) []Reminder {
	var out []Reminder
	add := func(occasion string, c Recognised, at time.Time) {
		n := slices.IndexFunc(out, func(r Reminder) bool { return r.Occasion == occasion && a.sameDay(r.At, at) })
		if n < 0 {
			out = append(out, a.reminder(occasion, []warifu.Kind{c.Kind}, at))
			return
		}
		out[n].Kinds = append(out[n].Kinds, c.Kind)
	}
	for _, kind := range warifu.Kinds {
		c, there := newest(life, kind)
		if !there {
			continue
		}
		if occasion, ended := endings[c.State]; ended {
			at := c.NotAfter
			if c.EndedAt != nil && c.State != warifu.CredentialExpired {
				at = *c.EndedAt
			}
			add(occasion, c, at)
			continue
		}
		if occasion := a.ending(c.NotAfter); occasion != "" {
			add(occasion, c, c.NotAfter)
		}
		for _, hold := range c.Holds {
			switch hold {
			case warifu.HoldLost:
				add(RemindLost, c, time.Time{})
			case warifu.HoldRepair:
				add(RemindRepair, c, c.Until)
			}
		}
	}
	return out
}

var endings = map[warifu.CredentialState]string{
	warifu.CredentialExpired: RemindExpired, warifu.CredentialRevoked: RemindRevoked, warifu.CredentialSuperseded: RemindSuperseded,
}

// sameDay reports whether two ends are told of in the same words: those of both kinds come in
// one act and are microseconds apart.
func (a *App) sameDay(x, y time.Time) bool {
	zone := a.Scheme.Hours.Zone
	return x.In(zone).Format(time.DateOnly) == y.In(zone).Format(time.DateOnly)
}

// newest is the live credential of a kind, or else the last one.
func newest(life ElementLife, kind warifu.Kind) (out Recognised, there bool) {
	for _, c := range life.Credentials {
		if c.Kind == kind && !live(out.State) {
			out, there = c, true
		}
	}
	return out, there
}

// ending names the nearest notice that an end has come within, by the same dates as the
// server's notices; "" for none. What is past is expired, though the server may not have
// said so yet.
func (a *App) ending(end time.Time) string {
	now := a.Clock.Now()
	switch {
	case now.After(end):
		return RemindExpired
	case !end.After(now.AddDate(0, 0, 7)):
		return RemindWeek
	case !end.After(now.AddDate(0, 1, 0)):
		return RemindMonth
	case !end.After(now.AddDate(0, 3, 0)):
		return RemindQuarter
	}
	return ""
}

func (a *App) reminder(occasion string, kinds []warifu.Kind, at time.Time) Reminder {
	local := at.In(a.Scheme.Hours.Zone)
	key, params := "phone.reminder."+occasion, map[string]string{"date": local.Format(time.DateOnly), "instant": local.Format("2006-01-02 15:04")}
	return Reminder{Occasion: occasion, Kinds: kinds, At: at, Sentence: Sentence{
		Ja: text.Sentence(key, text.Japanese, params), En: text.Sentence(key, text.English, params),
	}}
}
