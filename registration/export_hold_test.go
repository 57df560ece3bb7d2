package registration

import (
	"context"
	"time"

	"warifu"
	"warifu/store"
)

// PutHold, LiftHold, Revoke and End are the core of holds and ends, for its tests.
func (a *Authority) PutHold(tx *store.Tx, c store.Credential, reason warifu.HoldReason, until time.Time, actor, cause string) (store.Credential, bool, error) {
	return a.putHold(tx, c, hold{reason, until}, actor, cause)
}

func (a *Authority) LiftHold(tx *store.Tx, c store.Credential, reason warifu.HoldReason, actor, cause string) (store.Credential, bool, error) {
	return a.liftHold(tx, c, reason, actor, cause)
}

// HoldApplication and LiftApplication are the same for an open application.
func (a *Authority) HoldApplication(ctx context.Context, id string, reason warifu.HoldReason) (changed bool, err error) {
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.Application(id)
		if err != nil {
			return err
		}
		changed, err = a.holdApplication(tx, row, hold{reason: reason}, "test", "")
		return err
	})
	return changed, err
}

func (a *Authority) LiftApplication(ctx context.Context, id string, reason warifu.HoldReason) (changed bool, err error) {
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.Application(id)
		if err != nil {
			return err
		}
		changed, err = a.liftApplication(tx, row, reason, "test", "")
		return err
	})
	return changed, err
}

func (a *Authority) Revoke(tx *store.Tx, c store.Credential, reason warifu.Reason, actor, cause string) (store.Credential, bool, error) {
	return a.revokeCredential(tx, c, reason, actor, cause)
}

func (a *Authority) End(tx *store.Tx, c store.Credential, verb warifu.Verb, reason warifu.Reason, actor, cause string) (store.Credential, bool, error) {
	return a.endCredential(tx, c, verb, reason, actor, cause)
}
