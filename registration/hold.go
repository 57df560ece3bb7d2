package registration

import (
	"time"

	"warifu"
	"warifu/store"
)

// This file is the one place where holds, and ends of credentials, are written. Who may
// ask for which is decided before it is called, by what they have proven (allowed, which
// reads warifu.HoldRules); what a hold and an end are is decided here: a hold lifts only
// itself, a credential is suspended while its set of holds is not empty, an open
// application waits while its set is, and what has ended holds nothing any more.

// hold is one reason to suspend a credential or to let an open application wait.
type hold struct {
	reason warifu.HoldReason
	until  time.Time // when it ends by itself; zero: when it is lifted
}

// putHold puts a hold on an active or held credential, which the caller has read in
// this transaction, and returns it as it is then. The first of the set suspends it. The
// same hold twice is one: false, and nothing is written; another date replaces the
// date. actor and cause go into the audit trail. Errors: Conflict "credential-ended",
// and "credential-pending" for what is not on a phone yet: hold its application.
func (a *Authority) putHold(tx *store.Tx, c store.Credential, h hold, actor, cause string) (store.Credential, bool, error) {
	switch {
	case warifu.CredentialLife.Final(c.State):
		return c, false, warifu.Conflict("credential-ended", "state", string(c.State))
	case c.State == warifu.CredentialPending:
		return c, false, warifu.Conflict("credential-pending")
	}
	line, err := a.writeHold(tx, warifu.CredentialLife.Name, c.ID, h, actor, cause)
	if err != nil || line == "" || c.State == warifu.CredentialHeld {
		return c, line != "", err
	}
	c, err = a.moveCredential(tx, c, warifu.VerbSuspend, warifu.ReasonCertificateHold, actor, line)
	return c, true, err
}

// liftHold lifts the hold for that reason and no other; when it was the last the
// credential is good again. Where no such hold stands nothing is written: false. Errors:
// Conflict "credential-ended".
func (a *Authority) liftHold(tx *store.Tx, c store.Credential, reason warifu.HoldReason, actor, cause string) (store.Credential, bool, error) {
	if warifu.CredentialLife.Final(c.State) {
		return c, false, warifu.Conflict("credential-ended", "state", string(c.State))
	}
	line, left, err := a.liftOne(tx, c.ID, reason, actor, cause)
	if err != nil || line == "" || left > 0 || c.State != warifu.CredentialHeld {
		return c, line != "", err
	}
	c, err = a.moveCredential(tx, c, warifu.VerbResume, 0, actor, line)
	return c, true, err
}

// revokeCredential ends a credential for good and at once, whatever holds it. One that
// has ended already stays as it ended: false, and nothing is written.
func (a *Authority) revokeCredential(tx *store.Tx, c store.Credential, reason warifu.Reason, actor, cause string) (store.Credential, bool, error) {
	return a.endCredential(tx, c, warifu.VerbRevoke, reason, actor, cause)
}

// endCredential takes a credential to an end by the verb (revoke, supersede, expire)
// and empties its set of holds. One that has ended already stays as it ended.
func (a *Authority) endCredential(tx *store.Tx, c store.Credential, verb warifu.Verb, reason warifu.Reason, actor, cause string) (store.Credential, bool, error) {
	if warifu.CredentialLife.Final(c.State) {
		return c, false, nil
	}
	if err := a.emptyHolds(tx, c.ID); err != nil {
		return c, false, err
	}
	c, err := a.moveCredential(tx, c, verb, reason, actor, cause)
	return c, err == nil, err
}

// emptyHolds takes every hold from a subject that ends.
func (a *Authority) emptyHolds(tx *store.Tx, subject string) error {
	standing, err := tx.Holds(subject)
	if err != nil {
		return err
	}
	for _, h := range standing {
		if err := tx.LiftHold(h.ID, a.Clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// moveCredential is a move and its audit line.
func (a *Authority) moveCredential(tx *store.Tx, c store.Credential, verb warifu.Verb, reason warifu.Reason, actor, cause string) (store.Credential, error) {
	now := a.Clock.Now()
	moved, err := tx.MoveCredential(c.ID, verb, reason, now)
	if err != nil {
		return c, err
	}
	line := store.Line{At: now, Actor: actor, Verb: verb, Subject: c.ID, Cause: cause}
	if reason != 0 {
		line.Detail = map[string]string{"reason": reason.String()}
	}
	return moved, tx.Audit(line)
}

// holdApplication puts a hold on an open application: personalizing waits for its lift
// (K14). As putHold otherwise; errors: Conflict "application-ended".
func (a *Authority) holdApplication(tx *store.Tx, row store.Application, h hold, actor, cause string) (bool, error) {
	if warifu.ApplicationLife.Final(row.State) {
		return false, warifu.Conflict("application-ended", "state", string(row.State))
	}
	line, err := a.writeHold(tx, warifu.ApplicationLife.Name, row.ID, h, actor, cause)
	return line != "", err
}

// liftApplication lifts the hold for that reason from an open application; false where none
// stands. Errors as holdApplication.
func (a *Authority) liftApplication(tx *store.Tx, row store.Application, reason warifu.HoldReason, actor, cause string) (bool, error) {
	if warifu.ApplicationLife.Final(row.State) {
		return false, warifu.Conflict("application-ended", "state", string(row.State))
	}
	line, _, err := a.liftOne(tx, row.ID, reason, actor, cause)
	return line != "", err
}

// writeHold writes a hold with its audit line and returns the line's identifier; ""
// where the same hold stands already.
func (a *Authority) writeHold(tx *store.Tx, life, subject string, h hold, actor, cause string) (string, error) {
	now := a.Clock.Now()
	standing, err := tx.Holds(subject)
	if err != nil {
		return "", err
	}
	for _, s := range standing {
		if s.Reason != string(h.reason) {
			continue
		}
		if s.Until.Equal(h.until.Truncate(time.Microsecond)) { // as the store keeps instants
			return "", nil
		}
		if err := tx.LiftHold(s.ID, now); err != nil {
			return "", err
		}
	}
	if _, err := tx.PutHold(store.Hold{Life: life, Subject: subject, Reason: string(h.reason), Until: h.until, PutAt: now}); err != nil {
		return "", err
	}
	line := holdLine(tx, verbHold, subject, h.reason, actor, cause, now)
	if !h.until.IsZero() {
		line.Detail["until"] = h.until.UTC().Format(time.RFC3339)
	}
	return line.ID, tx.Audit(line)
}

// liftOne lifts the hold for the reason with its audit line. It returns the line's
// identifier, "" where no such hold stands, and how many other holds are left.
func (a *Authority) liftOne(tx *store.Tx, subject string, reason warifu.HoldReason, actor, cause string) (string, int, error) {
	standing, err := tx.Holds(subject)
	if err != nil {
		return "", 0, err
	}
	for _, s := range standing {
		if s.Reason != string(reason) {
			continue
		}
		now := a.Clock.Now()
		if err := tx.LiftHold(s.ID, now); err != nil {
			return "", 0, err
		}
		line := holdLine(tx, verbLift, subject, reason, actor, cause, now)
		return line.ID, len(standing) - 1, tx.Audit(line)
	}
	return "", len(standing), nil
}

func holdLine(tx *store.Tx, verb warifu.Verb, subject string, reason warifu.HoldReason, actor, cause string, at time.Time) store.Line {
	return store.Line{ID: tx.NewID(), At: at, Actor: actor, Verb: verb, Subject: subject, Cause: cause, Detail: map[string]string{"reason": string(reason)}}
}
