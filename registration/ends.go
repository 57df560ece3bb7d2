package registration

import (
	"bytes"
	"context"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// PurposeWithdraw is the purpose of a device request that withdraws an application.
const PurposeWithdraw = "withdraw"

// Withdraw ends an open application at the wish of the secure element that made
// it. The request names the application and carries a fresh challenge.
func (a *Authority) Withdraw(ctx context.Context, id string, envelope []byte) (Application, error) {
	row, _, err := a.row(ctx, id)
	if err != nil {
		return Application{}, err
	}
	if err := a.checkDeviceRequest(ctx, row, envelope, PurposeWithdraw); err != nil {
		return Application{}, err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.Application(id)
		if err != nil {
			return err
		}
		return a.endOpen(tx, now, warifu.VerbWithdraw, actorElement(row.Element), "")
	})
	if err != nil {
		return Application{}, err
	}
	return a.Application(ctx, id)
}

// checkDeviceRequest checks that the application's own element signed the request
// for this purpose and application, with a fresh challenge not used before.
func (a *Authority) checkDeviceRequest(ctx context.Context, row store.Application, envelope []byte, purpose string) error {
	var chain [][]byte
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		for _, d := range row.Chain {
			c, err := tx.UnsealBlob(d)
			if err != nil {
				return err
			}
			chain = append(chain, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	pub, element, err := attest.VerifyChain(chain, a.MakerAnchors, a.Clock.Now())
	if err != nil {
		return err
	}
	request, err := attest.OpenDeviceRequest(envelope, pub)
	if err != nil {
		return err
	}
	if element != row.Element || request.Element != row.Element || request.Purpose != purpose || request.Subject != row.ID {
		return warifu.Refused("device-request-other")
	}
	expires, err := a.freshChallenge(request.Nonce, row.Element)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return tx.UseChallenge(warifu.DigestOf(request.Nonce), expires) })
}

// Lapse ends the applications that were not fetched in time (K14) and returns how
// many; it is called from a timer and works in portions.
func (a *Authority) Lapse(ctx context.Context) (int, error) {
	const portion = 200
	before := a.Clock.Now().Add(-a.Scheme.ApplicationLapse)
	ended := 0
	for {
		var rows []store.Application
		err := a.Store.Read(ctx, func(tx *store.Tx) (err error) {
			rows, err = tx.LapsingApplications(before, portion)
			return err
		})
		if err != nil {
			return ended, err
		}
		for _, row := range rows {
			err := a.Store.Write(ctx, func(tx *store.Tx) error {
				return a.endOpen(tx, row, warifu.VerbLapse, actorHouse, "K14")
			})
			if err != nil && !warifu.ProblemOf(err).IsCode(warifu.CodeConflict) {
				return ended, err
			}
			ended++
		}
		if len(rows) < portion {
			return ended, nil
		}
	}
}

// Hold puts a hold with a reason on an open application: personalizing waits for
// its lift (K14). Lift takes away exactly that hold.
func (a *Authority) Hold(ctx context.Context, id, reason, actor string) error {
	return a.changeHold(ctx, id, actor, verbHold, reason, func(tx *store.Tx, now time.Time) error {
		_, err := tx.PutHold(store.Hold{Life: warifu.ApplicationLife.Name, Subject: id, Reason: reason, PutAt: now})
		return err
	})
}

// Lift takes away the hold with the reason; NotFound "hold-unknown" when there is none.
func (a *Authority) Lift(ctx context.Context, id, reason, actor string) error {
	return a.changeHold(ctx, id, actor, verbLift, reason, func(tx *store.Tx, now time.Time) error {
		holds, err := tx.Holds(id)
		if err != nil {
			return err
		}
		for _, h := range holds {
			if h.Reason == reason {
				return tx.LiftHold(h.ID, now)
			}
		}
		return warifu.NotFound("hold-unknown")
	})
}

func (a *Authority) changeHold(ctx context.Context, id, actor string, verb warifu.Verb, reason string, change func(*store.Tx, time.Time) error) error {
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.Application(id)
		if err != nil {
			return err
		}
		if warifu.ApplicationLife.Final(row.State) {
			return warifu.Conflict("application-ended", "state", string(row.State))
		}
		now := a.Clock.Now()
		if err := change(tx, now); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: now, Actor: actor, Verb: verb, Subject: id, Detail: map[string]string{"reason": reason}})
	})
}

// Reconcile looks for intents that never got a certificate recorded and whose
// application has ended: they count as issued and are listed as revoked (design §3.5).
func (a *Authority) Reconcile(ctx context.Context) (int, error) {
	listed := 0
	for _, kind := range warifu.Kinds {
		intents, err := a.Issuers[kind].Unfinished(ctx)
		if err != nil {
			return listed, err
		}
		for _, intent := range intents {
			done, err := a.listIntent(ctx, intent)
			if err != nil {
				return listed, err
			}
			if done {
				listed++
			}
		}
	}
	return listed, nil
}

func (a *Authority) listIntent(ctx context.Context, intent warifu.Intent) (bool, error) {
	listed := false
	err := a.Store.Write(ctx, func(tx *store.Tx) error {
		listed = false
		row, err := tx.ApplicationByDocument(intent.Document)
		if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			return nil // not an application's: a responder's certificate
		}
		if err != nil {
			return err
		}
		if !warifu.ApplicationLife.Final(row.State) {
			return nil // its job will finish it
		}
		existing, err := tx.CredentialsOfApplication(row.ID)
		if err != nil {
			return err
		}
		for _, c := range existing {
			if bytes.Equal(c.Serial, intent.Serial) {
				return nil
			}
		}
		listed = true
		return a.insertRevoked(tx, row, intent)
	})
	return listed, err
}

func (a *Authority) insertRevoked(tx *store.Tx, row store.Application, intent warifu.Intent) error {
	now := a.Clock.Now()
	err := tx.InsertCredential(store.Credential{
		ID: credentialID(row.ID, intent.Kind), Application: row.ID, Person: row.Person, Element: row.Element, Kind: intent.Kind,
		Serial: intent.Serial, PublicKey: intent.PublicKey, NotAfter: row.Parent.SignatureNotAfter,
	}, now)
	if err != nil {
		return err
	}
	return a.revokeAll(tx, row.ID, "intent-unfinished")
}
