package registration

import (
	"context"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/queue"
	"warifu/store"
)

// portion is how many subjects one transaction of a sweep takes.
const portion = 200

// expiryNotice is one notice before a credential's end.
type expiryNotice struct {
	occasion string
	before   func(time.Time) time.Time // the latest end that is near enough now
}

// expiryNotices stand nearest first: whoever is reached by more than one at a time gets
// one notice, and the wider ones count as given.
var expiryNotices = []expiryNotice{
	{"expiry:1w", func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }},
	{"expiry:1m", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"expiry:3m", func(t time.Time) time.Time { return t.AddDate(0, 3, 0) }},
}

// verbRemind stands in the audit line of a notice about a credential.
const verbRemind warifu.Verb = "remind"

// lostReminder is how often who has a phone held as lost is reminded: to look for it, to
// lift the hold, or to revoke (R77).
const lostReminder = 7 * 24 * time.Hour

// RemindExpiry gives the notices three months, one month and one week before a
// credential ends (R56), each once, and returns how many it gave; it is called from a
// timer and works in portions.
func (a *Authority) RemindExpiry(ctx context.Context) (int, error) {
	given := 0
	for i, n := range expiryNotices {
		for {
			var ending []store.Credential
			err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
				now := a.Clock.Now()
				ending, err = tx.EndingCredentials(now, n.before(now), n.occasion, portion)
				return err
			})
			if err != nil {
				return given, err
			}
			if len(ending) == 0 {
				break
			}
			var some int
			err = a.Store.Write(ctx, func(tx *store.Tx) (err error) {
				some, err = a.remindEnding(tx, ending, expiryNotices[i:])
				return err
			})
			if given += some; err != nil {
				return given, err
			}
		}
	}
	return given, nil
}

// remindEnding gives the first of the notices about credentials that were live when they
// were read; the others count as given with it.
func (a *Authority) remindEnding(tx *store.Tx, ending []store.Credential, notices []expiryNotice) (given int, err error) {
	for _, c := range ending {
		if c, err = tx.Credential(c.ID); err != nil {
			return 0, err
		}
		if !live(c) {
			continue // it ended meanwhile, and is not found again
		}
		first, err := tx.Remind(c.ID, notices[0].occasion, a.Clock.Now())
		if err != nil {
			return 0, err
		}
		for _, wider := range notices[1:] {
			if _, err := tx.Remind(c.ID, wider.occasion, a.Clock.Now()); err != nil {
				return 0, err
			}
		}
		if !first {
			continue // by another server, just now
		}
		if err := a.remind(tx, c, notices[0].occasion); err != nil {
			return 0, err
		}
		if err := a.remindContact(tx, c, strings.Replace(notices[0].occasion, ":", "-", 1), notices[0].occasion); err != nil {
			return 0, err
		}
		given++
	}
	return given, nil
}

// remind enqueues the notice and writes its line. The notice carries the application's
// identifier and nothing else; what it is about the phone asks.
func (a *Authority) remind(tx *store.Tx, c store.Credential, occasion string) error {
	line := store.Line{At: a.Clock.Now(), Actor: actorHouse, Verb: verbRemind, Subject: c.ID, Detail: map[string]string{"occasion": occasion}}
	if err := tx.Audit(line); err != nil {
		return err
	}
	return a.tell(tx, c.Application)
}

// remindContact tells the registered contact as well: once for an application, though both
// its credentials are reminded of; once says for which time this is.
func (a *Authority) remindContact(tx *store.Tx, c store.Credential, occasion, once string) error {
	first, err := tx.Remind(c.Application, "contact:"+once, a.Clock.Now())
	if err != nil || !first {
		return err
	}
	return a.tellContact(tx, c.Person, c.Application, occasion)
}

// tell enqueues a notice to the phone that an application was made with.
func (a *Authority) tell(tx *store.Tx, application string) error {
	return a.Queue.Enqueue(tx, queue.Job{Kind: jobNotify, Application: application})
}

// RemindLost reminds, week after week, of credentials that are held because the phone
// was lost, and returns how many notices it gave.
func (a *Authority) RemindLost(ctx context.Context) (int, error) {
	given := 0
	for after := ""; ; {
		var holds []store.Hold
		before := a.Clock.Now().Add(-lostReminder)
		err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
			holds, err = a.unreminded(tx, before, after)
			return err
		})
		if err != nil || len(holds) == 0 {
			return given, err
		}
		after = holds[len(holds)-1].ID
		for _, h := range holds {
			if h.Subject == "" {
				continue
			}
			var did bool
			err := a.Store.Write(ctx, func(tx *store.Tx) (err error) {
				did, err = a.remindLost(tx, h)
				return err
			})
			if err != nil {
				return given, err
			}
			if did {
				given++
			}
		}
	}
}

// unreminded reads a page of standing holds; the subject of those that have had this
// week's notice is blanked, so that nothing is written for them.
func (a *Authority) unreminded(tx *store.Tx, before time.Time, after string) ([]store.Hold, error) {
	holds, err := tx.StandingHolds(string(warifu.HoldLost), before, after, portion)
	if err != nil {
		return nil, err
	}
	for i, h := range holds {
		told, err := tx.Reminded(h.ID, a.week(h))
		if err != nil {
			return nil, err
		}
		if told || h.Life != warifu.CredentialLife.Name {
			holds[i].Subject = ""
		}
	}
	return holds, nil
}

// week names how many weeks a hold has stood.
func (a *Authority) week(h store.Hold) string {
	return "lost:" + strconv.Itoa(int(a.Clock.Now().Sub(h.PutAt)/lostReminder))
}

func (a *Authority) remindLost(tx *store.Tx, h store.Hold) (bool, error) {
	c, err := tx.Credential(h.Subject)
	if err != nil || c.State != warifu.CredentialHeld {
		return false, err
	}
	occasion := a.week(h)
	first, err := tx.Remind(h.ID, occasion, a.Clock.Now())
	if err != nil || !first {
		return false, err
	}
	if err := a.remind(tx, c, occasion); err != nil {
		return false, err
	}
	once := occasion + "@" + strconv.FormatInt(h.PutAt.Unix(), 10) // another loss is reminded of anew
	return true, a.remindContact(tx, c, occasionStillLost, once)
}

// EndRepairHolds lifts every hold whose date has come (K5), of credentials and of open
// applications, and returns how many. Nobody has to remember: it is called from a timer.
func (a *Authority) EndRepairHolds(ctx context.Context) (int, error) {
	ended := 0
	for {
		var due []store.Hold
		err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
			due, err = tx.EndingHolds(a.Clock.Now(), portion)
			return err
		})
		if err != nil || len(due) == 0 {
			return ended, err
		}
		var some int
		err = a.Store.Write(ctx, func(tx *store.Tx) error {
			holds, err := tx.EndingHolds(a.Clock.Now(), portion) // as they stand now
			some = len(holds)
			for _, h := range holds {
				if err := a.endHold(tx, h); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil {
			return ended, err
		}
		ended += some
	}
}

func (a *Authority) endHold(tx *store.Tx, h store.Hold) error {
	reason := warifu.HoldReason(h.Reason)
	if !reason.MayLift(warifu.PartyClock) {
		return tx.LiftHold(h.ID, a.Clock.Now()) // none has such a date; it must not stop the others
	}
	if h.Life == warifu.ApplicationLife.Name {
		row, err := tx.Application(h.Subject)
		if err != nil {
			return err
		}
		_, err = a.liftApplication(tx, row, reason, actorHouse, "K5")
		return err
	}
	c, err := tx.Credential(h.Subject)
	if err != nil {
		return err
	}
	if c, _, err = a.liftHold(tx, c, reason, actorHouse, "K5"); err != nil {
		return err
	}
	return a.tell(tx, c.Application)
}
