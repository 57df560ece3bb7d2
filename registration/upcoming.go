package registration

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// What a Due is about.
const (
	DueJob        = "job"           // a job of the queue
	DueRepairEnd  = "repair-end"    // a hold ends by itself (K5)
	DueTakeover   = "takeover"      // the cooling time is over, a newer phone may be personalized
	DueLapse      = "lapse"         // longer than this an application does not wait to be fetched (K14)
	DueLostNotice = "lost-reminder" // longer than this, and a further week of a loss is reminded of
	DueNotice3m   = "notice-3m"     // notices of an end (R56)
	DueNotice1m   = "notice-1m"
	DueNotice1w   = "notice-1w"
	DueExpiry     = "expiry" // the last second of a credential
)

// Due is something that will come to pass by the clock alone. It names nobody but by the
// card bureau's opaque handle.
type Due struct {
	At          time.Time
	What        string
	Kind        warifu.Kind // of a credential; 0 otherwise
	Application string      // its identifier
	Person      warifu.Digest
}

// Upcoming lists what the clock alone will bring after now, in order: what a calendar
// shows, and where a clock that is moved must stop on its way. At most limit rows of each
// table are looked at, the soonest of them.
func (a *Authority) Upcoming(ctx context.Context, limit int) ([]Due, error) {
	var out []Due
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		c := calendar{a: a, tx: tx, now: a.Clock.Now(), limit: limit}
		for _, read := range []func() error{c.jobs, c.holds, c.applications, c.credentials, c.losses} {
			if err := read(); err != nil {
				return err
			}
		}
		out = c.due
		return nil
	})
	slices.SortStableFunc(out, func(x, y Due) int { return x.At.Compare(y.At) })
	return out, err
}

// calendar gathers what is due out of one transaction.
type calendar struct {
	a     *Authority
	tx    *store.Tx
	now   time.Time
	limit int
	due   []Due
}

func (c *calendar) add(at time.Time, what string, kind warifu.Kind, application string, person warifu.Digest) {
	if at.After(c.now) {
		c.due = append(c.due, Due{at, what, kind, application, person})
	}
}

func (c *calendar) jobs() error {
	jobs, err := c.tx.WaitingJobs(c.now, c.limit)
	for _, j := range jobs {
		row, missing := c.tx.Application(j.Application) // a job may be about something else
		if missing != nil && !warifu.ProblemOf(missing).IsCode(warifu.CodeNotFound) {
			return missing
		}
		c.add(j.DueAt, DueJob, 0, j.Application, row.Person)
	}
	return err
}

func (c *calendar) holds() error {
	holds, err := c.tx.HoldsUntil(c.now, c.limit)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if err := c.ofHold(h, h.Until, DueRepairEnd); err != nil {
			return err
		}
	}
	return nil
}

func (c *calendar) ofHold(h store.Hold, at time.Time, what string) error {
	application, kind := h.Subject, warifu.Kind(0)
	if h.Life == warifu.CredentialLife.Name {
		held, err := c.tx.Credential(h.Subject)
		if err != nil {
			return err
		}
		application, kind = held.Application, held.Kind
	}
	row, err := c.tx.Application(application)
	if err != nil {
		return err
	}
	c.add(at, what, kind, application, row.Person)
	return nil
}

func (c *calendar) applications() error {
	rows, err := c.tx.IssuedApplications(c.limit)
	for _, row := range rows {
		c.add(row.IssuedAt.Add(c.a.Scheme.ApplicationLapse), DueLapse, 0, row.ID, row.Person)
		if c.a.Scheme.SupersedeCooling > 0 {
			c.add(row.IssuedAt.Add(c.a.Scheme.SupersedeCooling), DueTakeover, 0, row.ID, row.Person)
		}
	}
	return err
}

func (c *calendar) credentials() error {
	rows, err := c.tx.CredentialsByEnd(c.limit)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c.add(row.NotAfter, DueExpiry, row.Kind, row.Application, row.Person)
		for _, n := range []struct {
			what, occasion string
			at             time.Time
		}{
			{DueNotice3m, "expiry:3m", row.NotAfter.AddDate(0, -3, 0)},
			{DueNotice1m, "expiry:1m", row.NotAfter.AddDate(0, -1, 0)},
			{DueNotice1w, "expiry:1w", row.NotAfter.AddDate(0, 0, -7)},
		} {
			given, err := c.tx.Reminded(row.ID, n.occasion)
			if err != nil {
				return err
			}
			if !given {
				c.add(n.at, n.what, row.Kind, row.Application, row.Person)
			}
		}
	}
	return nil
}

// losses are the next weekly reminders of phones that are held as lost.
func (c *calendar) losses() error {
	holds, err := c.tx.StandingHolds(string(warifu.HoldLost), c.now.Add(time.Second), "", c.limit)
	if err != nil {
		return err
	}
	for _, h := range holds {
		weeks := c.now.Sub(h.PutAt)/lostReminder + 1
		if err := c.ofHold(h, h.PutAt.Add(weeks*lostReminder), DueLostNotice); err != nil {
			return err
		}
	}
	return nil
}
