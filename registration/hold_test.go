package registration_test

import (
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/store"
)

// change is a step of the core on one credential.
type change func(tx *store.Tx, c store.Credential) (store.Credential, bool, error)

// owned is a person with a phone and its credentials.
func owned(t *testing.T) (*housetest.House, store.Credential) {
	t.Helper()
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, "taro")
	return h, credentials(t, h, a.ID)[0]
}

// do takes one step on the credential as it is now.
func do(t *testing.T, h *housetest.House, id string, f change) (c store.Credential, changed bool) {
	t.Helper()
	h.Write(t, func(tx *store.Tx) (err error) {
		if c, err = tx.Credential(id); err != nil {
			return err
		}
		c, changed, err = f(tx, c)
		return err
	})
	return c, changed
}

func put(h *housetest.House, reason warifu.HoldReason) change {
	return func(tx *store.Tx, c store.Credential) (store.Credential, bool, error) {
		return h.Registrar.PutHold(tx, c, reason, time.Time{}, "test", "")
	}
}

func lift(h *housetest.House, reason warifu.HoldReason) change {
	return func(tx *store.Tx, c store.Credential) (store.Credential, bool, error) {
		return h.Registrar.LiftHold(tx, c, reason, "test", "")
	}
}

func TestACredentialIsHeldWhileAnyReasonStands(t *testing.T) {
	h, c := owned(t)
	for i, step := range []struct {
		do      change
		changed bool
		state   warifu.CredentialState
	}{
		{lift(h, warifu.HoldLost), false, warifu.CredentialActive},
		{put(h, warifu.HoldLost), true, warifu.CredentialHeld},
		{put(h, warifu.HoldLost), false, warifu.CredentialHeld},
		{put(h, warifu.HoldCard), true, warifu.CredentialHeld},
		{lift(h, warifu.HoldLost), true, warifu.CredentialHeld},
		{lift(h, warifu.HoldLost), false, warifu.CredentialHeld},
		{lift(h, warifu.HoldOperator), false, warifu.CredentialHeld},
		{lift(h, warifu.HoldCard), true, warifu.CredentialActive},
		{put(h, warifu.HoldOwnWish), true, warifu.CredentialHeld},
		{lift(h, warifu.HoldOwnWish), true, warifu.CredentialActive},
	} {
		got, changed := do(t, h, c.ID, step.do)
		if changed != step.changed || got.State != step.state {
			t.Fatalf("step %d: changed %v, %s; want %v, %s", i, changed, got.State, step.changed, step.state)
		}
		held := got.State == warifu.CredentialHeld
		if held != (got.Status.Reason == warifu.ReasonCertificateHold) {
			t.Fatalf("step %d: %s, and the status says %s", i, got.State, got.Status.Reason)
		}
		h.Check(t)
	}
}

func TestWhatHasEndedHoldsNothingAndStaysEnded(t *testing.T) {
	h, c := owned(t)
	do(t, h, c.ID, put(h, warifu.HoldLost))
	do(t, h, c.ID, put(h, warifu.HoldRepair))
	revoke := func(reason warifu.Reason) change {
		return func(tx *store.Tx, c store.Credential) (store.Credential, bool, error) {
			return h.Registrar.Revoke(tx, c, reason, "test", "")
		}
	}
	got, changed := do(t, h, c.ID, revoke(warifu.ReasonKeyCompromise))
	if !changed || got.State != warifu.CredentialRevoked || got.Status.Reason != warifu.ReasonKeyCompromise {
		t.Fatalf("changed %v, %s, %s", changed, got.State, got.Status.Reason)
	}
	h.Read(t, func(tx *store.Tx) error {
		standing, err := tx.Holds(c.ID)
		if len(standing) != 0 {
			t.Errorf("%d holds stand on what has ended", len(standing))
		}
		return err
	})
	again, changed := do(t, h, c.ID, revoke(warifu.ReasonCessationOfOperation))
	if changed || again.Reason != warifu.ReasonKeyCompromise {
		t.Errorf("ended twice: %v, %s", changed, again.Reason)
	}
	for name, f := range map[string]change{"put": put(h, warifu.HoldLost), "lift": lift(h, warifu.HoldLost)} {
		err := h.Store.Write(t.Context(), func(tx *store.Tx) error {
			_, _, err := f(tx, again)
			return err
		})
		t.Run(name, func(t *testing.T) { wantProblem(t, err, "credential-ended") })
	}
	h.Check(t)
}

func TestAnotherDateReplacesTheDate(t *testing.T) {
	h, c := owned(t)
	first, second := h.Clock.Now().Add(24*time.Hour+time.Nanosecond), h.Clock.Now().Add(72*time.Hour)
	repair := func(until time.Time) change {
		return func(tx *store.Tx, c store.Credential) (store.Credential, bool, error) {
			return h.Registrar.PutHold(tx, c, warifu.HoldRepair, until, "test", "")
		}
	}
	for i, step := range []struct {
		until   time.Time
		changed bool
	}{{first, true}, {first, false}, {second, true}, {second, false}} {
		if got, changed := do(t, h, c.ID, repair(step.until)); changed != step.changed || got.State != warifu.CredentialHeld {
			t.Fatalf("step %d: changed %v, %s", i, changed, got.State)
		}
	}
	h.Read(t, func(tx *store.Tx) error {
		standing, err := tx.Holds(c.ID)
		if len(standing) != 1 || !standing[0].Until.Equal(second) {
			t.Errorf("holds %+v", standing)
		}
		return err
	})
	if got, _ := do(t, h, c.ID, lift(h, warifu.HoldRepair)); got.State != warifu.CredentialActive {
		t.Errorf("%s", got.State)
	}
}

func TestWhatIsNotOnAPhoneYetIsHeldByItsApplication(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Issue(t, "taro")
	c := credentials(t, h, a.ID)[0]
	err := h.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, _, err := h.Registrar.PutHold(tx, c, warifu.HoldLost, time.Time{}, "test", "")
		return err
	})
	wantProblem(t, err, "credential-pending")
}

func TestEveryHoldStandsInTheTreeOfItsCause(t *testing.T) {
	h, c := owned(t)
	do(t, h, c.ID, func(tx *store.Tx, c store.Credential) (store.Credential, bool, error) {
		if err := tx.Audit(store.Line{ID: "the-call", At: h.Clock.Now(), Actor: "operator:1", Verb: "call", Subject: "call-1"}); err != nil {
			return c, false, err
		}
		return h.Registrar.PutHold(tx, c, warifu.HoldLost, time.Time{}, "operator:1", "the-call")
	})
	h.Read(t, func(tx *store.Tx) error {
		lines, err := tx.AuditOf(c.ID)
		if err != nil || len(lines) < 2 {
			t.Fatalf("%d lines, %v", len(lines), err)
		}
		put, suspended := lines[len(lines)-2], lines[len(lines)-1]
		if put.Verb != "hold" || put.Cause != "the-call" || put.Detail["reason"] != "lost" {
			t.Errorf("the hold: %+v", put)
		}
		if suspended.Verb != warifu.VerbSuspend || suspended.Cause != put.ID || suspended.Actor != "operator:1" {
			t.Errorf("the suspension: %+v", suspended)
		}
		return nil
	})
}
