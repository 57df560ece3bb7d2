package registration

import (
	"context"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// PurposeWithdraw is the purpose of a device request that withdraws an application.
const PurposeWithdraw = "withdraw"

// Withdraw ends an open application at the wish of the secure element that made
// it. The request names the application and carries a fresh challenge of one use.
// Asking again for what is withdrawn already succeeds and changes nothing.
func (a *Authority) Withdraw(ctx context.Context, id string, envelope []byte) (Application, error) {
	row, held, err := a.row(ctx, id)
	if err != nil {
		return Application{}, err
	}
	request, err := a.openDeviceRequest(ctx, row, envelope, PurposeWithdraw)
	if err != nil {
		return Application{}, err
	}
	if row.State == warifu.ApplicationWithdrawn {
		return a.view(row, held), nil
	}
	expires, err := a.freshChallenge(request.Nonce, row.Element)
	if err != nil {
		return Application{}, err
	}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.UseChallenge(warifu.DigestOf(request.Nonce), expires); err != nil {
			return err
		}
		now, err := tx.Application(id)
		if err != nil {
			return err
		}
		return a.endOpen(tx, now, warifu.VerbWithdraw, "", actorElement(row.Element), "")
	})
	if err != nil {
		return Application{}, err
	}
	return a.Application(ctx, id)
}

// openDeviceRequest checks that the application's own element signed the request for
// this purpose and application. Whether its challenge is fresh is the caller's to ask.
func (a *Authority) openDeviceRequest(ctx context.Context, row store.Application, envelope []byte, purpose string) (attest.DeviceRequest, error) {
	none := attest.DeviceRequest{}
	chain, err := a.chainOf(ctx, row)
	if err != nil {
		return none, err
	}
	pub, element, err := a.chainHeld(chain, row)
	if err != nil {
		return none, err
	}
	request, err := attest.OpenDeviceRequest(envelope, pub)
	if err != nil {
		return none, err
	}
	if element != row.Element || request.Element != row.Element || request.Purpose != purpose || request.Subject != row.ID {
		return none, warifu.Refused("device-request-other")
	}
	return request, nil
}

// chainOf unseals the maker's certificates of the application's element.
func (a *Authority) chainOf(ctx context.Context, row store.Application) (chain [][]byte, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		chain, err = unsealAll(tx, row.Chain)
		return err
	})
	return chain, err
}

func unsealAll(tx *store.Tx, digests []warifu.Digest) ([][]byte, error) {
	out := make([][]byte, len(digests))
	for i, d := range digests {
		plain, err := tx.UnsealBlob(d)
		if err != nil {
			return nil, err
		}
		out[i] = plain
	}
	return out, nil
}

// Lapse ends the applications that were not fetched in time (K14) and returns how
// many; it is called from a timer and works in portions.
func (a *Authority) Lapse(ctx context.Context) (int, error) {
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
				return a.endOpen(tx, row, warifu.VerbLapse, "", actorHouse, "K14")
			})
			switch {
			case err == nil:
				ended++
			case !warifu.ProblemOf(err).IsCode(warifu.CodeConflict): // fetched or withdrawn just now
				return ended, err
			}
		}
		if len(rows) < portion {
			return ended, nil
		}
	}
}

// endOpen moves an open application to an end by the verb (withdraw, lapse, reject);
// problem is the slug that tells its applicant why, "" where they know. What was issued
// for it and never activated is revoked and stays listed, and nothing holds it any more.
// Errors: Conflict "application-ended".
func (a *Authority) endOpen(tx *store.Tx, row store.Application, verb warifu.Verb, problem, actor, cause string) error {
	if warifu.ApplicationLife.Final(row.State) {
		return warifu.Conflict("application-ended", "state", string(row.State))
	}
	now := a.Clock.Now()
	if _, err := tx.MoveApplication(row.ID, verb, now, problem); err != nil {
		return err
	}
	line := store.Line{ID: tx.NewID(), At: now, Actor: actor, Verb: verb, Subject: row.ID, Cause: cause}
	if problem != "" {
		line.Detail = map[string]string{"problem": problem}
	}
	if err := tx.Audit(line); err != nil {
		return err
	}
	if err := a.emptyHolds(tx, row.ID); err != nil {
		return err
	}
	if err := a.revokeAll(tx, row.ID, line.ID); err != nil {
		return err
	}
	if row.State != warifu.ApplicationSubmitted {
		return nil
	}
	return a.settleLater(tx, row.ID)
}

// revokeAll revokes whatever was issued for an application that has ended.
func (a *Authority) revokeAll(tx *store.Tx, application, cause string) error {
	issued, err := tx.CredentialsOfApplication(application)
	if err != nil {
		return err
	}
	for _, c := range issued {
		if _, _, err := a.revokeCredential(tx, c, warifu.ReasonCessationOfOperation, actorHouse, cause); err != nil {
			return err
		}
	}
	return nil
}
