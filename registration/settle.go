package registration

import (
	"bytes"
	"context"
	"crypto/x509"
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

// Reconcile looks for intents that never got a certificate recorded and whose
// application has ended: they count as issued and are listed as revoked (design
// §3.5). It returns how many it listed, and goes through them all: what was listed long
// ago stands before what was not.
func (a *Authority) Reconcile(ctx context.Context) (int, error) {
	listed := 0
	for _, kind := range warifu.Kinds {
		for last := (warifu.Intent{}); ; {
			intents, err := a.Issuers[kind].Unfinished(ctx, last)
			if err != nil {
				return listed, err
			}
			if len(intents) == 0 {
				break
			}
			for _, intent := range intents {
				done, err := a.reconcileOne(ctx, intent)
				if err != nil {
					return listed, err
				}
				if done {
					listed++
				}
			}
			last = intents[len(intents)-1]
		}
	}
	return listed, nil
}

// reconcileOne reads before it writes: most unfinished intents were listed long ago.
func (a *Authority) reconcileOne(ctx context.Context, intent warifu.Intent) (done bool, err error) {
	var open bool
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		_, open, err = unlisted(tx, intent)
		return err
	})
	if err != nil || !open {
		return false, err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		done, err = a.listIntent(tx, intent)
		return err
	})
	return done, err
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
