package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

// challenge is the cheapest row there is to write.
func challenge(tx *store.Tx, name string) error { return tx.UseChallenge(digest(name), base) }

// written says whether a challenge of that name was ever committed.
func (w *world) written(name string) bool {
	w.t.Helper()
	var n int
	must(w.t, w.bare().QueryRow("SELECT COUNT(*) FROM challenges WHERE challenge = $1", digestBytes(name)).Scan(&n))
	return n == 1
}

func digestBytes(name string) []byte { d := digest(name); return d[:] }

func TestErrorRollsBackItsOwnClosureOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		boom := errors.New("boom")
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				err := w.Write(context.Background(), func(tx *store.Tx) error {
					if err := challenge(tx, fmt.Sprint(i)); err != nil {
						return err
					}
					if i%3 == 0 {
						return boom
					}
					return nil
				})
				if got := errors.Is(err, boom); got != (i%3 == 0) {
					t.Errorf("closure %d: %v", i, err)
				}
			})
		}
		all.Wait()
		for i := range 60 {
			equal(t, fmt.Sprint(i), w.written(fmt.Sprint(i)), i%3 != 0)
		}
	})
}

func TestPanicIsTheCallersAndRollsBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		func() {
			defer func() { equal(t, "panic", recover(), any("mine")) }()
			_ = w.Write(context.Background(), func(tx *store.Tx) error {
				must(t, challenge(tx, "panicked"))
				panic("mine")
			})
		}()
		w.write(func(tx *store.Tx) error { return challenge(tx, "after") })
		equal(t, "panicked", w.written("panicked"), false)
		equal(t, "after", w.written("after"), true)
	})
}

func TestClosureThatLeavesItsGoroutineHoldsNobodyUp(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = w.Write(context.Background(), func(*store.Tx) error { runtime.Goexit(); return nil })
		}()
		<-gone
		w.write(func(tx *store.Tx) error { return challenge(tx, "after") })
	})
}

func TestSwallowedDatabaseErrorCommitsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.insertApplication("p")
		err := w.Write(context.Background(), func(tx *store.Tx) error {
			must(t, challenge(tx, "beside"))
			c := store.Credential{ID: "c", Application: "no such application", Kind: warifu.Signature, Serial: []byte{1}}
			_ = tx.InsertCredential(c, base)
			_, err := tx.Application(a.ID)
			if err == nil {
				t.Error("a transaction went on after an error of the database")
			}
			return nil
		})
		if err == nil {
			t.Error("committed in spite of an error of the database")
		}
		equal(t, "beside", w.written("beside"), false)
	})
}

func TestExpectedAnswersDoNotSpoilATransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.write(func(tx *store.Tx) error { return challenge(tx, "once") })
		w.write(func(tx *store.Tx) error {
			wantProblem(t, challenge(tx, "once"), "challenge-used")
			_, err := tx.Application("nobody")
			wantProblem(t, err, "application-unknown")
			return challenge(tx, "beside")
		})
		equal(t, "beside", w.written("beside"), true)
	})
}

func TestReadCannotWrite(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, try := range []func(*store.Tx) error{
			func(tx *store.Tx) error { return challenge(tx, "x") },
			func(tx *store.Tx) error { _, _, err := tx.NextCRLNumber(warifu.Signature, base); return err },
			func(tx *store.Tx) error { _, err := tx.LeaseJobs("k", base, time.Minute, 1); return err },
		} {
			if err := w.Read(context.Background(), try); err == nil {
				t.Error("a Read wrote")
			}
		}
	})
}

func TestKeptTransactionIsUseless(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var kept *store.Tx
		w.write(func(tx *store.Tx) error { kept = tx; return nil })
		if err := challenge(kept, "late"); err == nil {
			t.Error("wrote after the end of the transaction")
		}
		w.read(func(tx *store.Tx) error { kept = tx; return nil })
		if _, err := kept.Models(); err == nil {
			t.Error("read after the end of the transaction")
		}
	})
}

func TestAfterCommitRunsOnlyAfterACommit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		runs := 0
		w.write(func(tx *store.Tx) error { tx.AfterCommit(func() { runs++ }); return challenge(tx, "x") })
		equal(t, "after a commit", runs, 1)
		_ = w.Write(context.Background(), func(tx *store.Tx) error {
			tx.AfterCommit(func() { runs++ })
			return errors.New("no")
		})
		equal(t, "after a roll-back", runs, 1)
	})
}

func TestEndedContextKeepsAClosureFromRunning(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := w.Write(ctx, func(tx *store.Tx) error { return challenge(tx, "x") })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if err := w.Read(ctx, func(tx *store.Tx) error { _, err := tx.Models(); return err }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		equal(t, "written", w.written("x"), false)
	})
}

func TestRivalsReadAndWriteAsIfOneAfterTheOther(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		// Each takes the number of models it sees as its own name: two that saw the
		// same would take the same.
		const rivals = 24
		var all sync.WaitGroup
		for range rivals {
			all.Go(func() {
				err := w.Write(context.Background(), func(tx *store.Tx) error {
					models, err := tx.Models()
					if err != nil {
						return err
					}
					return tx.PutModel(store.Model{ID: fmt.Sprintf("m%03d", len(models)), Data: []byte("{}"), Revision: base})
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.read(func(tx *store.Tx) error {
			models, err := tx.Models()
			equal(t, "models", len(models), rivals)
			return err
		})
	})
}

func TestReadSeesOneSnapshot(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.read(func(tx *store.Tx) error {
			before, err := tx.Models()
			must(t, err)
			w.write(func(tx *store.Tx) error {
				return tx.PutModel(store.Model{ID: "new", Data: []byte("{}"), Revision: base})
			})
			after, err := tx.Models()
			equal(t, "models", len(after), len(before))
			return err
		})
	})
}

func TestOpenRefusesWhatIsNotReady(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	_, err := store.Open(ctx, "sqlite:"+dir+"/none.db", newKeyring(), still)
	wantProblem(t, err, "store-missing")
	for _, dsn := range []string{"", "sqlite:", "mysql://x", "/path", "sqlite:/x?mode=memory"} {
		_, err := store.Open(ctx, dsn, newKeyring(), still)
		wantProblem(t, err, "store-dsn")
	}
	_, err = store.Open(ctx, "postgres:///nothing?host="+dir+"&user=nobody", newKeyring(), still)
	wantProblem(t, err, "store-unavailable")
	onBoth(t, func(t *testing.T, w *world) {
		_, err := store.OpenLedger(ctx, w.dsn, newKeyring()) // same version number, another schema
		wantProblem(t, err, "store-not-migrated")
		_, err = w.bare().Exec("INSERT INTO store_version (version_id, is_applied) VALUES (99, true)")
		must(t, err)
		_, err = store.Open(ctx, w.dsn, w.seal, still)
		wantProblem(t, err, "store-too-new")
		_, err = w.bare().Exec("DELETE FROM store_version WHERE version_id > 0")
		must(t, err)
		_, err = store.Open(ctx, w.dsn, w.seal, still)
		wantProblem(t, err, "store-not-migrated")
	})
}

func TestMigrateTwiceAndTogether(t *testing.T) {
	for name, dsn := range dialects {
		t.Run(name, func(t *testing.T) {
			d := dsn(t)
			must(t, store.Migrate(context.Background(), d))
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					if err := store.Migrate(context.Background(), d); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		must(t, w.Close())
		must(t, w.Close())
		for _, err := range []error{
			w.Write(context.Background(), func(*store.Tx) error { return nil }),
			w.Ready(context.Background()),
		} {
			wantProblem(t, err, "store-closed")
		}
	})
}

// Who is called off in the middle of a transaction is told so, whenever that is, and nothing of what
// the database made of it: a server that stops has no fault to log.
func TestATransactionThatIsCalledOffSaysSo(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		db := w.bare()
		for round := range 60 {
			ctx, cancel := context.WithCancel(context.Background())
			err := w.Write(ctx, func(tx *store.Tx) error {
				if round%3 == 0 {
					must(t, challenge(tx, fmt.Sprint(round)))
				}
				cancel()
				for range round % 4 { // it is rolled back meanwhile, or not yet
					must(t, db.QueryRow("SELECT 1").Scan(new(int)))
				}
				if round%2 == 0 {
					return nil // and is committed, it thinks
				}
				return challenge(tx, "late "+fmt.Sprint(round))
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("round %d: %v", round, err)
			}
			err = w.Read(ctx, func(tx *store.Tx) error { return nil })
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("read in round %d: %v", round, err)
			}
		}
	})
}
