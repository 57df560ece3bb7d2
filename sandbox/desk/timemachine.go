package desk

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/sandbox/moment"
	"warifu/text"
)

var timePage = page("time")

// timeData is the time machine.
type timeData struct {
	view
	Wishes  []string // keys of words to jump by
	Persons []Card
	Month   month
	Due     []moment.Due
	Jump    *jumped
	Tree    []branch // what happened to cards on the way
	// MonthName and Weekdays head the leaf, in the reader's language.
	MonthName string
	Weekdays  []string
}

// month is a leaf of the calendar: weeks of seven days, Sunday first.
type month struct {
	First         time.Time
	Weeks         [][]day
	Before, After string // addresses of its neighbours; Before is empty in the present one
}

// day is one day of it.
type day struct {
	Number int // 0: of another month
	Today  bool
	Past   bool
	Due    []moment.Due
	At     string // to jump to, RFC 3339
}

// wishes are the words that the page offers as buttons.
var wishes = []string{"desk.wish-closing", "desk.wish-tomorrow", "desk.wish-notice", "desk.wish-expiry", "desk.wish-repair", "desk.wish-fifteen"}

// wishesOf are those of them that name an instant for the person: who is grown up has no
// fifteenth birthday ahead.
func (d *Desk) wishesOf(ctx context.Context, me string) []string {
	return slices.DeleteFunc(slices.Clone(wishes), func(key string) bool {
		_, err := d.meant(ctx, text.Sentence(key, text.English, nil), me)
		return err != nil
	})
}

// maxShown is how much of the calendar the page lists; `warifu clock upcoming` shows all.
const maxShown = 40

// shown is the part of the calendar that pages show: everybody's ordinary birthdays and what
// becomes of other people's cards would hide what matters to the person.
func shown(due []moment.Due, me string) []moment.Due {
	var out []moment.Due
	for _, d := range due {
		others := d.Card != "" && d.Card != me && (d.What == moment.RenewalOpens || d.What == moment.CardExpiry)
		if d.What != moment.Birthday && !others && len(out) < maxShown {
			out = append(out, d)
		}
	}
	return out
}

func (d *Desk) timeMachine(w http.ResponseWriter, r *http.Request, problem error) {
	data := timeData{view: d.view(r, "/time"), Jump: d.lately.lastJump()}
	data.Wishes = d.wishesOf(r.Context(), data.Me)
	due, err := d.config.Calendar(r.Context())
	if problem == nil {
		problem = err
	}
	if data.Persons, err = d.all(); problem == nil {
		problem = err
	}
	first := data.Now
	if asked, err := time.ParseInLocation("2006-01", r.URL.Query().Get("month"), data.Now.Location()); err == nil && asked.After(first) && asked.Year() < first.Year()+100 {
		first = asked
	}
	data.Due = shown(due, data.Me)
	data.Month = leaf(first, data.Now, due)
	lang := doorway.Lang(r)
	data.MonthName, data.Weekdays = face.Month(data.Month.First, lang, face.Era(r)), strings.Fields(text.Sentence("desk.weekdays", lang, nil))
	if data.Jump != nil {
		data.Tree = branches(data.Jump.Cascade, nil, d.config.Scheme.Hours.Zone, lang)
	}
	doorway.Show(w, r, timePage, "desk.time-title", data, problem)
}

// leaf is the month in which the instant lies, with what falls due in it.
func leaf(in, now time.Time, due []moment.Due) month {
	y, m, _ := in.Date()
	first := time.Date(y, m, 1, 0, 0, 0, 0, now.Location())
	out := month{First: first, After: "/time?month=" + first.AddDate(0, 1, 0).Format("2006-01") + "#calendar"}
	if first.After(now) {
		out.Before = "/time?month=" + first.AddDate(0, -1, 0).Format("2006-01") + "#calendar"
	}
	on := map[int][]moment.Due{}
	for _, e := range due {
		if at := e.At.In(now.Location()); at.Year() == y && at.Month() == m {
			on[at.Day()] = append(on[at.Day()], e)
		}
	}
	week := make([]day, int(first.Weekday()), 7)
	for at := first; at.Month() == m; at = at.AddDate(0, 0, 1) {
		end := at.AddDate(0, 0, 1)
		noon := at.Add(12 * time.Hour)
		if noon.Before(now) {
			noon = end.Add(-time.Second)
		}
		week = append(week, day{at.Day(), !now.Before(at) && now.Before(end), !end.After(now), on[at.Day()], noon.Format(time.RFC3339)})
		if len(week) == 7 {
			out.Weeks, week = append(out.Weeks, week), nil
		}
	}
	if len(week) > 0 {
		out.Weeks = append(out.Weeks, append(week, make([]day, 7-len(week))...))
	}
	return out
}

// moveTimeByForm is the page's door to the same as the API's: words, an instant (RFC 3339),
// or the field of the browser, which has no zone: it is the scheme's.
func (d *Desk) moveTimeByForm(w http.ResponseWriter, r *http.Request) {
	next := "/time#jumped"
	if r.FormValue("back") == "start" {
		next = "/"
	}
	d.form(w, r, next, func(err error) { d.timeMachine(w, r, err) }, func() error {
		to := Time{Words: r.FormValue("words"), Card: r.FormValue("card")}
		if key := r.FormValue("wish"); key != "" && text.Has(key) {
			to.Words = text.Sentence(key, doorway.Lang(r), nil)
		}
		if to.Words == "" {
			at, err := time.ParseInLocation("2006-01-02T15:04", r.FormValue("to"), d.config.Scheme.Hours.Zone)
			if err != nil {
				return warifu.Invalid("clock-malformed", "words", r.FormValue("to"))
			}
			to.To = at
		}
		return d.jump(r.Context(), to)
	})
}

// jump moves the clock and remembers what was passed on the way.
func (d *Desk) jump(ctx context.Context, to Time) error {
	due, err := d.config.Calendar(ctx)
	if err != nil {
		return err
	}
	j := jumped{From: d.now()}
	j.Cascade, err = d.config.Cascade(ctx, func() error { return d.move(ctx, to) })
	if err != nil {
		return err
	}
	j.To = d.now()
	for _, e := range due {
		if !e.Passed().After(j.To) && len(j.Passed) < maxShown {
			j.Passed = append(j.Passed, e)
		}
	}
	d.lately.jumped(j)
	return nil
}
