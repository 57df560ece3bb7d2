package moment

import (
	"cmp"
	"slices"
	"time"

	"warifu"
	"warifu/scheme"
)

// What says what falls due.
type What string

// What can fall due. The words are a promise: `warifu clock upcoming --json` prints them.
const (
	Opening      What = "opening"       // issuing begins for the day (K1)
	CutOff       What = "cut-off"       // what is complete from then on waits for the next window
	Closing      What = "closing"       // issuing ends for the day
	Job          What = "job"           // a job of the queue, mostly an application's turn to be issued
	RepairEnd    What = "repair-end"    // a repair's hold ends by itself (K5)
	Takeover     What = "takeover"      // the cooling time is over: the new phone may replace the old one
	Lapse        What = "lapse"         // an application that was not fetched ends (K14)
	LostReminder What = "lost-reminder" // a phone has been on hold as lost for a further week
	Notice3m     What = "notice-3m"     // notices before a credential's end (R56)
	Notice1m     What = "notice-1m"
	Notice1w     What = "notice-1w"
	Expiry       What = "expiry"        // the last second of a credential on a phone
	RenewalOpens What = "renewal-opens" // the card may be renewed from here on (B.2)
	CardExpiry   What = "card-expiry"   // the last second of a certificate on a card
	Birthday     What = "birthday"      // the next one
	Birthday15   What = "birthday-15"   // a signing certificate may be had from here on (K14)
	ListUpdate   What = "list-update"   // nextUpdate of a revocation list that stands now
	NextOfAny    What = "next"          // the first of the calendar, whatever it is
	AnyNotice    What = "notice"        // the next notice before an end
)

// Due is one entry of the calendar. An instant of a last second (Expiry, CardExpiry) is
// that second; what follows from it follows in the next.
type Due struct {
	At          time.Time   `json:"at"`
	What        What        `json:"what"`
	Kind        warifu.Kind `json:"kind,omitzero"`
	Card        string      `json:"card,omitempty"`        // whose, as `warifu card list` has it
	Application string      `json:"application,omitempty"` // its identifier
}

// Passed is the first instant at which the entry has come to pass.
func (d Due) Passed() time.Time {
	switch d.What {
	case Expiry, CardExpiry, Lapse, LostReminder:
		return d.At.Add(time.Second) // the last second counts, or "longer than" is asked
	}
	return d.At
}

// Sort orders entries by their instant; what falls due at one instant stays in the order
// of kind and card, so that two lists of one calendar are the same.
func Sort(all []Due) {
	slices.SortStableFunc(all, func(a, b Due) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.What, b.What), cmp.Compare(a.Card, b.Card), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Application, b.Application))
	})
}

// World is what a wish is read against.
type World struct {
	Now      time.Time // in the zone in which people read clocks
	Hours    scheme.Hours
	Upcoming []Due                // in order; nothing in it is past
	Births   map[string]time.Time // by card
	Me       string               // the card that was named beside the words; "" when none was
	Usual    string               // whose card and birthday are meant where nobody was named; "" for nobody's
}

// Window returns the next opening, cut-off and closing after an instant; nothing for hours
// that never close.
func Window(h scheme.Hours, now time.Time) []Due {
	if h.Always {
		return nil
	}
	var out []Due
	for _, e := range []struct {
		what What
		of   scheme.TimeOfDay
	}{{Opening, h.Opens}, {CutOff, h.CutOff}, {Closing, h.Closes}} {
		if at := nextOf(h, e.of, now); !at.IsZero() {
			out = append(out, Due{At: at, What: e.what})
		}
	}
	Sort(out)
	return out
}

// closedFor bounds the search for a day that is not closed.
const closedFor = 400

// nextOf is the next instant after now with that time of day, on a day with a window.
func nextOf(h scheme.Hours, of scheme.TimeOfDay, now time.Time) time.Time {
	y, m, d := now.In(h.Zone).Date()
	for i := range closedFor {
		at := time.Date(y, m, d+i, 0, 0, int(time.Duration(of)/time.Second), 0, h.Zone)
		noon := time.Date(y, m, d+i, 0, 0, int(time.Duration(h.Opens)/time.Second), 0, h.Zone)
		closures := h.Closures(noon, noon.Add(time.Second))
		if at.After(now) && len(closures) == 0 {
			return at
		}
	}
	return time.Time{}
}
