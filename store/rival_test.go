package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"warifu"
	"warifu/store"
)

// rivals runs n closures at once and returns how many were acknowledged; the
// others must have failed with the problem named.
func (w *world) rivals(n int, slug string, fn func(tx *store.Tx) error) int64 {
	w.t.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			err := w.Write(context.Background(), fn)
			if err == nil {
				won.Add(1)
				return
			}
			wantProblem(w.t, err, slug)
		})
	}
	all.Wait()
	return won.Load()
}

func TestOfOneDocumentOnlyOneApplicationIsAccepted(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		won := w.rivals(12, "application-exists", func(tx *store.Tx) error {
			a := w.newApplication("p")
			a.Document = digest("the document")
			return tx.InsertApplication(a)
		})
		equal(t, "accepted", won, 1)
	})
}

func TestOfOnePersonOnlyOneApplicationIsOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		won := w.rivals(12, "application-open", func(tx *store.Tx) error { return tx.InsertApplication(w.newApplication("p")) })
		equal(t, "accepted", won, 1)
	})
}

func TestOneChallengeServesOneRival(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		equal(t, "served", w.rivals(12, "challenge-used", func(tx *store.Tx) error { return challenge(tx, "x") }), 1)
	})
}

func TestRivalsSealUnderOneKey(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		won := w.rivals(12, "", func(tx *store.Tx) error {
			_, err := tx.SealBlob(digest("p"), []byte("the same"))
			return err
		})
		equal(t, "sealed", won, 12)
		plain, err := w.unseals(digest("the same"))
		must(t, err)
		equal(t, "plain", string(plain), "the same")
	})
}

func TestResumeRacingRevokeEndsRevoked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		_, err := w.moveCredential(c.ID, warifu.VerbSuspend, 0, base)
		must(t, err)
		var all sync.WaitGroup
		for _, verb := range []warifu.Verb{warifu.VerbResume, warifu.VerbRevoke, warifu.VerbResume, warifu.VerbRevoke} {
			all.Go(func() {
				if _, err := w.moveCredential(c.ID, verb, warifu.ReasonKeyCompromise, base); err != nil {
					wantProblem(t, err, "transition-illegal")
				}
			})
		}
		all.Wait()
		w.read(func(tx *store.Tx) error {
			got, err := tx.Credential(c.ID)
			equal(t, "state", got.State, warifu.CredentialRevoked)
			return err
		})
	})
}

func TestPeopleWithTwoPhonesAtOnceEndWithOne(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var fresh []store.Credential
		for range 4 {
			fresh = append(fresh, w.insertCredential(w.insertApplicationDone("p"), warifu.Signature))
		}
		var all sync.WaitGroup
		for _, c := range fresh {
			all.Go(func() {
				if err := w.Write(context.Background(), func(tx *store.Tx) error { return replaceWith(tx, c) }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.read(func(tx *store.Tx) error {
			live, err := tx.LiveCredentials(digest("p"))
			equal(t, "live", len(live), 1)
			return err
		})
	})
}

// replaceWith supersedes whatever the person has and activates c, as personalizing does.
func replaceWith(tx *store.Tx, c store.Credential) error {
	live, err := tx.LiveCredentials(c.Person)
	if err != nil {
		return err
	}
	for _, old := range live {
		if _, err := tx.MoveCredential(old.ID, warifu.VerbSupersede, warifu.ReasonSuperseded, base); err != nil {
			return err
		}
		if err := tx.Audit(store.Line{At: base, Verb: warifu.VerbSupersede, Subject: old.ID}); err != nil {
			return err
		}
	}
	if _, err := tx.MoveCredential(c.ID, warifu.VerbActivate, 0, base); err != nil {
		return err
	}
	return tx.Audit(store.Line{At: base, Verb: warifu.VerbActivate, Subject: c.ID})
}

// Where many write, a transaction may lose many times for other reasons before a rival's
// row shows as a taken key: that is no fault of its own, however late it comes.
func TestAViolationAfterManyLossesIsTriedAgain(t *testing.T) {
	w := openWorld(t, dialects["postgres"](t))
	lost, violated := &pgconn.PgError{Code: "40001"}, &pgconn.PgError{Code: "23505"}
	for _, c := range []struct {
		fails []error
		want  error
	}{
		{[]error{lost, lost, lost, lost, lost, violated, lost, violated, violated}, nil},
		{[]error{lost, lost, violated, violated, violated, violated}, violated}, // its own
	} {
		tries := 0
		err := w.Write(t.Context(), func(*store.Tx) error {
			tries++
			if tries <= len(c.fails) {
				return c.fails[tries-1]
			}
			return nil
		})
		if !errors.Is(err, c.want) {
			t.Errorf("after %d tries: %v, want %v", tries, err, c.want)
		}
	}
}
