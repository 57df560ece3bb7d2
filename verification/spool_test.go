package verification_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/store"
	"warifu/verification"
	"warifu/verify"
)

const day = 24 * time.Hour

// drawer is a Spool in memory.
type drawer struct{ entries [][]byte }

func (d *drawer) Put(entry []byte) error {
	d.entries = append(d.entries, slices.Clone(entry))
	return nil
}

func (d *drawer) Take(f func([]byte) error) error {
	for len(d.entries) > 0 {
		if err := f(d.entries[0]); err != nil {
			return err
		}
		d.entries = d.entries[1:]
	}
	return nil
}

// away is a database that cannot be reached; identifiers are made without it.
type away struct{ *store.Store }

func (away) Read(context.Context, func(*store.Tx) error) error {
	return warifu.Unavailable("store-unavailable")
}

func (away) Write(context.Context, func(*store.Tx) error) error {
	return warifu.Unavailable("store-unavailable")
}

// A node that cannot reach the database answers from what it has in memory, keeps nothing,
// and the holder reads of it later, with the word that it is late.
func TestANodeThatIsCutOffAnswersAndHandsInLater(t *testing.T) {
	w := newTown(t, housetest.Options{})
	c := w.DeskConfig(t, w.Stamps)
	spool := &drawer{}
	c.Spool = spool
	c.Store, c.Sources = away{w.Store}, verify.Sources{}
	cut := verification.New(c)
	a, err := cut.Check(ctx, housetest.BankKey, w.question())
	must(t, err)
	if a.Result.Verdict != verify.Good || a.Holder != verification.HeardLate || a.ID != "" || a.NoEvidence != "evidence-cut-off" || len(spool.entries) != 1 {
		t.Fatalf("%+v", a)
	}
	if n, err := cut.HandIn(ctx); err != nil || n != 0 || len(spool.entries) != 1 {
		t.Errorf("handed in %d while away: %v", n, err)
	}
	asked := w.Clock.Now()
	w.Clock.Forward(time.Hour)
	c.Store = w.Store
	if n, err := verification.New(c).HandIn(ctx); err != nil || n != 1 {
		t.Fatalf("handed in %d: %v", n, err)
	}
	lines := w.ledger(t)
	if len(lines) != 1 || !lines[0].At.Equal(asked) || !lines[0].Late.Equal(w.Clock.Now()) {
		t.Errorf("%+v", lines)
	}
}
