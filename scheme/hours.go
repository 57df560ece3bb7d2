package scheme

import (
	"fmt"
	"sort"
	"time"
	_ "time/tzdata" // a static binary knows its hours on any machine
)

// TimeOfDay is a time on the clock on the wall, as the duration since 00:00:00.
type TimeOfDay time.Duration

// String returns "07:30", with seconds where there are any.
func (t TimeOfDay) String() string {
	d := time.Duration(t)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	if s == 0 {
		return fmt.Sprintf("%02d:%02d", h, m)
	}
	return fmt.Sprintf("%02d:%02d:%02d", h, m, s)
}

// Closure is a stretch of time in which nothing is issued: [From, To).
type Closure struct {
	From, To time.Time
	Note     Title // why, for the announcement; may be empty
}

// Hours are the hours of issuance (K1). The issuing window of a day is [Opens,
// Closes) in Zone, except on closed days and in maintenance. An application complete
// before CutOff belongs to that day's window; one complete at CutOff or later to the
// next. What belongs to a window is finished even after Closes.
type Hours struct {
	Zone                  *time.Location
	Always                bool // open round the clock; Opens, CutOff, Closes and closed days mean nothing
	Opens, CutOff, Closes TimeOfDay
	ClosedDays            []Day     // sorted
	Maintenance           []Closure // sorted, apart from each other
}

// Day is a closed day: one date, or the same date every year where Year is 0.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// String returns "2026-12-31", or "12-31" for every year's.
func (d Day) String() string {
	if d.Year == 0 {
		return fmt.Sprintf("%02d-%02d", int(d.Month), d.Day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// Due returns when issuing for an application that became complete at the given
// instant may begin (K1, R38–R40): at once inside the window and before the cut-off,
// otherwise at the next opening. It is never before complete and always an instant
// at which the window is open.
func (h Hours) Due(complete time.Time) time.Time {
	if h.Always || h.closedOn(complete) || complete.Before(h.at(complete, h.CutOff)) {
		return h.Next(complete)
	}
	return h.Next(h.midnightAfter(complete))
}

// Open reports whether the issuing window is open at t.
func (h Hours) Open(t time.Time) bool {
	if _, in := h.maintenanceAt(t); in {
		return false
	}
	return h.Always || h.insideDay(t)
}

// Next returns t itself while the window is open, else the instant of the next opening.
func (h Hours) Next(t time.Time) time.Time {
	for {
		if m, in := h.maintenanceAt(t); in {
			t = m.To
			continue
		}
		if h.Always || h.insideDay(t) {
			return t
		}
		if opens := h.at(t, h.Opens); !h.closedOn(t) && t.Before(opens) {
			t = opens
			continue
		}
		t = h.midnightAfter(t)
	}
}

// MayIssue reports whether work that was due at the given instant may be done now:
// once it is due it is finished, after Closes and through the night if need be (K1),
// but not in maintenance.
func (h Hours) MayIssue(due, now time.Time) bool {
	_, in := h.maintenanceAt(now)
	return !in && !now.Before(due)
}

// ClosesAfter returns the end of the window that t lies in, or of the next one when t lies
// in none; the zero time for hours that never close.
func (h Hours) ClosesAfter(t time.Time) time.Time {
	if h.Always {
		return time.Time{}
	}
	return h.at(h.Next(t), h.Closes)
}

// Closures lists the closed days and maintenance that touch [from, to), in order, for
// the announcement on the pages (K1).
func (h Hours) Closures(from, to time.Time) []Closure {
	var out []Closure
	for _, m := range h.Maintenance {
		if m.From.Before(to) && m.To.After(from) {
			out = append(out, m)
		}
	}
	for day := h.midnight(from); !h.Always && day.Before(to); day = h.midnightAfter(day) {
		if h.closedOn(day) {
			out = append(out, Closure{From: day, To: h.midnightAfter(day)})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].From.Before(out[j].From) })
	return out
}

func (h Hours) insideDay(t time.Time) bool {
	return !h.closedOn(t) && !t.Before(h.at(t, h.Opens)) && t.Before(h.at(t, h.Closes))
}

func (h Hours) closedOn(t time.Time) bool {
	y, m, d := t.In(h.Zone).Date()
	for _, c := range h.ClosedDays {
		if c.Month == m && c.Day == d && (c.Year == 0 || c.Year == y) {
			return true
		}
	}
	return false
}

func (h Hours) maintenanceAt(t time.Time) (Closure, bool) {
	for _, m := range h.Maintenance {
		if !t.Before(m.From) && t.Before(m.To) {
			return m, true
		}
	}
	return Closure{}, false
}

// at returns the instant of a time of day on the day that t lies in.
func (h Hours) at(t time.Time, of TimeOfDay) time.Time {
	y, m, d := t.In(h.Zone).Date()
	return time.Date(y, m, d, 0, 0, int(time.Duration(of)/time.Second), 0, h.Zone)
}

func (h Hours) midnight(t time.Time) time.Time { return h.at(t, 0) }

// midnightAfter returns the first instant of the next day. Where summer time begins at
// midnight there is no 00:00, and time.Date may answer with 23:00 of the day before.
func (h Hours) midnightAfter(t time.Time) time.Time {
	y, m, d := t.In(h.Zone).Date()
	next := time.Date(y, m, d+1, 0, 0, 0, 0, h.Zone)
	if next.Day() == d {
		next = next.Add(time.Hour)
	}
	return next
}
