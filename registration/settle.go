package registration

import (
	"bytes"
	"context"
	"crypto/x509"
	"sync"
	"time"

	"warifu"
	"warifu/queue"
	"warifu/store"
)

// settleAfter is how long after the end of an application its accounts with the
// authorities are settled: longer than any worker may still be at it.
const settleAfter = 5 * time.Minute

// settleLater sees to it that whatever an authority did for an application that
// ended before it was issued gets listed. The authority may have been asked by a
// worker that died, or whose lease was lost, before it could write the answer down.
func (a *Authority) settleLater(tx *store.Tx, application string) error {
	return a.Queue.Enqueue(tx, queue.Job{Kind: jobSettle, Application: application, DueAt: a.Clock.Now().Add(settleAfter)})
}

// settle is that job: what the ledgers hold for the application is listed as revoked,
// signed or only intended (design §3.5).
func (a *Authority) settle(ctx context.Context, jobs []queue.Job) []queue.Result {
	results := make([]queue.Result, len(jobs))
	for i, j := range jobs {
		results[i] = a.settleOne(ctx, j.Application)
	}
	return results
}

func (a *Authority) settleOne(ctx context.Context, id string) queue.Result {
	row, _, err := a.row(ctx, id)
	if err != nil {
		return queue.Result{Err: err}
	}
	var intents []warifu.Intent
	for _, kind := range row.Kinds {
		intent, found, err := a.Issuers[kind].Intended(ctx, row.Document)
		if err != nil {
			return queue.Result{Err: err}
		}
		if found {
			intents = append(intents, intent)
		}
	}
	return queue.Result{Outcome: queue.Done, Write: func(tx *store.Tx) error {
		for _, intent := range intents {
			if _, err := a.listIntent(tx, intent); err != nil {
				return err
			}
		}
		return nil
	}}
}

// reconciled is, for each authority, up to when every intent is known to have been dealt
// with, so that the next round need not look through a ledger of millions again. It is
// forgotten with the process: the first round looks at all.
type reconciled struct {
	mu   sync.Mutex
	upTo map[warifu.Kind]time.Time
}

// reconcileAgain is how much of what was dealt with is looked at again: longer than an
// intent may be on its way from a server's clock into the ledger.
const reconcileAgain = time.Hour

func (r *reconciled) since(kind warifu.Kind) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.upTo[kind]
}

func (r *reconciled) reached(kind warifu.Kind, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upTo == nil {
		r.upTo = map[warifu.Kind]time.Time{}
	}
	if at.After(r.upTo[kind]) {
		r.upTo[kind] = at
	}
}

// Reconcile looks for intents that never got a certificate recorded and whose
// application has ended: they count as issued and are listed as revoked (design
// §3.5). It returns how many it listed, and goes through them all: what was listed long
// ago stands before what was not.
func (a *Authority) Reconcile(ctx context.Context) (int, error) {
	listed := 0
	for _, kind := range warifu.Kinds {
		n, err := a.reconcile(ctx, kind)
		if listed += n; err != nil {
			return listed, err
		}
	}
	return listed, nil
}

func (a *Authority) reconcile(ctx context.Context, kind warifu.Kind) (listed int, err error) {
	reached := a.Clock.Now().Add(-reconcileAgain)
	for last := (warifu.Intent{CreatedAt: a.reconciled.since(kind)}); ; {
		intents, err := a.Issuers[kind].Unfinished(ctx, last)
		if err != nil {
			return listed, err
		}
		if len(intents) == 0 {
			a.reconciled.reached(kind, reached)
			return listed, nil
		}
		for _, intent := range intents {
			done, waits, err := a.reconcileOne(ctx, intent)
			if err != nil {
				return listed, err
			}
			if done {
				listed++
			}
			if waits && intent.CreatedAt.Before(reached) {
				reached = intent.CreatedAt.Add(-time.Microsecond) // its application is still open
			}
		}
		last = intents[len(intents)-1]
	}
}

// reconcileOne reads before it writes: most unfinished intents were listed long ago. waits
// tells that the intent's application is still open, so that it has to be looked at again.
func (a *Authority) reconcileOne(ctx context.Context, intent warifu.Intent) (done, waits bool, err error) {
	var open bool
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		var row store.Application
		row, open, err = unlisted(tx, intent)
		waits = row.ID != "" && !warifu.ApplicationLife.Final(row.State)
		return err
	})
	if err != nil || !open {
		return false, waits, err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		done, err = a.listIntent(tx, intent)
		return err
	})
	return done, false, err
}

// unlisted returns the ended application that an intent was for, and whether it has no
// credential for it yet. Intents of no application are a responder's certificates.
func unlisted(tx *store.Tx, intent warifu.Intent) (store.Application, bool, error) {
	row, err := tx.ApplicationByDocument(intent.Document)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return row, false, nil
	}
	if err != nil || !warifu.ApplicationLife.Final(row.State) {
		return row, false, err // while it is open, its job will finish it
	}
	existing, err := tx.CredentialsOfApplication(row.ID)
	for _, c := range existing {
		if bytes.Equal(c.Serial, intent.Serial) {
			return row, false, nil
		}
	}
	return row, err == nil, err
}

// listIntent writes a revoked credential for an intent whose application has ended.
func (a *Authority) listIntent(tx *store.Tx, intent warifu.Intent) (bool, error) {
	row, open, err := unlisted(tx, intent)
	if err != nil || !open {
		return false, err
	}
	c := store.Credential{
		ID: credentialID(row.ID, intent.Kind), Application: row.ID, Person: row.Person, Element: row.Element, Kind: intent.Kind,
		Serial: intent.Serial, PublicKey: intent.PublicKey, NotAfter: row.Parent.SignatureNotAfter,
	}
	if intent.Kind == warifu.Authentication {
		c.NotAfter = row.Parent.AuthenticationNotAfter
	}
	if intent.Certificate != nil {
		if c.Certificate, err = tx.SealBlob(row.Person, intent.Certificate); err != nil {
			return false, err
		}
		certificate, err := x509.ParseCertificate(intent.Certificate)
		if err != nil {
			return false, err
		}
		c.NotAfter = certificate.NotAfter
	}
	if err := tx.InsertCredential(c, a.Clock.Now()); err != nil {
		return false, err
	}
	return true, a.revokeAll(tx, row.ID, causeUnfinished)
}

const causeUnfinished = "intent-unfinished"
