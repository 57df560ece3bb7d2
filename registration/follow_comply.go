package registration

import (
	"slices"
	"time"

	"warifu"
	"warifu/queue"
	"warifu/store"
)

// compliance is one word being followed in one transaction.
type compliance struct {
	word
	a     *Authority
	tx    *store.Tx
	heard map[string]bool // applications it touches: whether it may put and lift holds there
	did   bool
	tell  []string // applications whose phone is to look
}

// comply does what a word of the card bureau asks of everything the person has here:
// live credentials and open applications. Where it changed anything, one audit line is
// the cause of it all: true; where it did not, nothing is written but when it was spoken.
func (a *Authority) comply(tx *store.Tx, w word) (bool, error) {
	live, err := tx.LiveCredentials(w.person)
	if err != nil {
		return false, err
	}
	open, err := tx.OpenApplications(w.person)
	if err != nil || len(live)+len(open) == 0 {
		return false, err
	}
	c := &compliance{word: w, a: a, tx: tx, heard: map[string]bool{}}
	c.line.ID = tx.NewID()
	for _, credential := range live {
		if err := c.credential(credential); err != nil {
			return false, err
		}
	}
	for _, row := range open {
		if err := c.application(row); err != nil {
			return false, err
		}
	}
	if err := c.conclude(); err != nil {
		return false, err
	}
	return c.did, nil
}

// current reports whether the word may put and lift holds on an application or what was
// issued for it, and remembers that it was heard there. Of one that the word leaves alone
// nothing is remembered: a statement about another card says nothing about this one's.
func (c *compliance) current(row store.Application) (bool, error) {
	if fresh, asked := c.heard[row.ID]; asked {
		return fresh, nil
	}
	newest, err := c.tx.CardWord(row.ID)
	if err != nil {
		return false, err
	}
	c.heard[row.ID] = c.fresh(newest)
	return c.heard[row.ID], c.tx.PutCardWord(row.ID, c.at)
}

func (c *compliance) credential(credential store.Credential) error {
	row, err := c.tx.Application(credential.Application)
	if err != nil {
		return err
	}
	f := c.of(row, credential.Kind)
	if f.action == leave {
		return nil
	}
	current, err := c.current(row)
	if err != nil {
		return err
	}
	did := false
	switch {
	case f.action == end:
		verb, reason := warifu.VerbRevoke, f.reason
		if f.past && credential.NotAfter.Before(c.a.Clock.Now()) {
			verb, reason = warifu.VerbExpire, 0
		}
		_, did, err = c.a.endCredential(c.tx, credential, verb, reason, actorBureau, c.line.ID)
	case f.action == suspend && current:
		_, did, err = c.a.putHold(c.tx, credential, hold{reason: warifu.HoldCard}, actorBureau, c.line.ID)
	case f.action == lift && current:
		_, did, err = c.a.liftHold(c.tx, credential, warifu.HoldCard, actorBureau, c.line.ID)
	}
	c.note(row.ID, did)
	return err
}

func (c *compliance) application(row store.Application) error {
	f := c.ofApplication(row)
	if f.action == leave {
		return nil
	}
	current, err := c.current(row)
	if err != nil {
		return err
	}
	did := false
	switch {
	case f.action == end:
		did, err = true, c.endApplication(row, f.problem)
	case f.action == suspend && current:
		did, err = c.a.holdApplication(c.tx, row, hold{reason: warifu.HoldCard}, actorBureau, c.line.ID)
	case f.action == lift && current:
		did, err = c.a.liftApplication(c.tx, row, warifu.HoldCard, actorBureau, c.line.ID)
	}
	c.note(row.ID, did)
	return err
}

// endApplication rejects what was not issued yet and withdraws what was; either way its
// applicant can read why.
func (c *compliance) endApplication(row store.Application, problem string) error {
	verb := warifu.VerbWithdraw
	if row.State == warifu.ApplicationSubmitted {
		verb = warifu.VerbReject
	}
	return c.a.endOpen(c.tx, row, verb, problem, actorBureau, c.line.ID)
}

// note remembers that something was done, and whose phone is to be told.
func (c *compliance) note(application string, did bool) {
	if did && !slices.Contains(c.tell, application) {
		c.tell = append(c.tell, application)
	}
	c.did = c.did || did
}

// conclude writes the root of the tree, with the signed paper as its evidence, and has
// the phones told to look.
func (c *compliance) conclude() error {
	if !c.did {
		return nil
	}
	digest, err := c.tx.SealBlob(c.person, c.paper)
	if err != nil {
		return err
	}
	now := c.a.Clock.Now()
	line := c.line
	line.At, line.Detail["paper"], line.Detail["spoken"] = now, digest.String(), c.at.UTC().Format(time.RFC3339)
	if err := c.tx.Audit(line); err != nil {
		return err
	}
	for _, id := range c.tell {
		if err := c.a.Queue.Enqueue(c.tx, queue.Job{Kind: jobNotify, Application: id, DueAt: now}); err != nil {
			return err
		}
	}
	return nil
}
