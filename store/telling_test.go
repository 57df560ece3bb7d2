package store_test

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"

	"warifu"
	"warifu/store"
)

func TestAFollowerIsToldBeforeAnybodyElseLearnsOfIt(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		seen, told := make(chan struct{}), atomic.Bool{}
		var got []store.Change
		w.FollowStatus(func(changes []store.Change) {
			<-seen // somebody reads what was committed while the follower is slow
			for range 20 {
				_, err := w.StatusSince(context.Background(), 0, 10)
				must(t, err)
			}
			got = append(got, changes...)
			told.Store(true)
		})
		var writing sync.WaitGroup
		writing.Go(func() {
			if _, err := w.moveCredential(c.ID, warifu.VerbActivate, 0, base); err != nil {
				t.Error(err)
			}
			if !told.Load() {
				t.Error("whoever wrote is answered before the follower is told")
			}
		})
		for committed := false; !committed; {
			feed, err := w.StatusSince(t.Context(), 0, 10) // which waits for nobody
			must(t, err)
			committed = len(feed) > 0
		}
		w.read(func(tx *store.Tx) error {
			r, _, err := tx.StatusOf(c.Kind, c.Serial)
			equal(t, "status", r.Status.Cert, warifu.StatusGood)
			close(seen)
			return err
		})
		if !told.Load() {
			t.Error("whoever reads is answered before the follower is told")
		}
		writing.Wait()
		feed, err := w.StatusSince(t.Context(), 0, 10)
		must(t, err)
		if len(got) != 1 || len(feed) != 1 || got[0].Number != 1 || !got[0].At.Equal(feed[0].At) || string(got[0].Record.Serial) != string(feed[0].Record.Serial) || got[0].Record.Status != feed[0].Record.Status {
			t.Errorf("told %+v, written %+v", got, feed)
		}
	})
}

func TestARefusalThatComesOfAnothersChangeWaitsUntilItIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		_, err := w.moveCredential(c.ID, warifu.VerbActivate, 0, base)
		must(t, err)
		var told atomic.Bool
		w.FollowStatus(func([]store.Change) {
			for range 20 {
				_, err := w.StatusSince(context.Background(), 0, 10)
				must(t, err)
			}
			told.Store(true)
		})
		var all sync.WaitGroup
		for range 2 { // one is done, the other refused because of it
			all.Go(func() {
				if _, err := w.moveCredential(c.ID, warifu.VerbSuspend, 0, base); err != nil {
					wantProblem(t, err, "transition-illegal")
				}
				if !told.Load() {
					t.Error("somebody knows before the follower")
				}
			})
		}
		all.Wait()
	})
}

func TestNobodyIsToldOfWhatWasNotCommitted(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.insertCredential(w.insertApplication("p"), warifu.Signature)
		w.FollowStatus(func(changes []store.Change) { t.Errorf("told %v", changes) })
		err := w.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.MoveCredential(c.ID, warifu.VerbActivate, 0, base)
			return err // and no audit line
		})
		if err == nil {
			t.Error("written without an audit line")
		}
		w.write(func(tx *store.Tx) error { return tx.Audit(store.Line{At: base, Verb: "look", Subject: c.ID}) })
	})
}

func TestACensusIsWhatTheFeedAmountsTo(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		if newest, err := w.StatusCensus(t.Context(), func(warifu.StatusRecord) error { t.Error("somebody"); return nil }); err != nil || newest.Number != 0 {
			t.Errorf("%+v, %v", newest, err)
		}
		want := map[string]warifu.Status{}
		for i, life := range [][]warifu.Verb{{}, {"activate"}, {"activate", "suspend"}, {"activate", "revoke"}, {"activate", "expire"}} {
			c := w.insertCredential(w.insertApplication(string(rune('a'+i))), warifu.Kinds[i%2])
			for _, verb := range life {
				_, err := w.moveCredential(c.ID, verb, warifu.ReasonKeyCompromise, base)
				must(t, err)
			}
			w.read(func(tx *store.Tx) error {
				r, _, err := tx.StatusOf(c.Kind, c.Serial)
				if r.Status.Cert != warifu.StatusUnknown {
					want[string(c.Serial)] = r.Status
				}
				return err
			})
		}
		newest, err := w.StatusCensus(t.Context(), func(r warifu.StatusRecord) error {
			if want[string(r.Serial)] != r.Status {
				t.Errorf("%x: %+v, want %+v", r.Serial, r.Status, want[string(r.Serial)])
			}
			delete(want, string(r.Serial))
			return nil
		})
		if err != nil || len(want) != 0 {
			t.Errorf("%v, left out %d", err, len(want))
		}
		feed, err := w.StatusSince(t.Context(), newest.Number-1, 10)
		if err != nil || len(feed) != 1 || feed[0].Number != newest.Number || newest.Number == 0 {
			t.Errorf("%v, %+v", err, feed)
		}
	})
}

// waiting reports whether somebody waits for a lock in this database.
func waiting(t *testing.T, db *sql.DB) bool {
	t.Helper()
	var n int
	must(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n))
	return n > 0
}

// A transaction that has its number and has not committed keeps every later number from
// being seen: who follows the feed meets no gap, however long it takes.
func TestNobodyOvertakesATransactionThatHasItsNumber(t *testing.T) {
	w := openWorld(t, dialects["postgres"](t))
	c, bare := w.insertCredential(w.insertApplication("p"), warifu.Signature), w.bare()
	slow, err := bare.BeginTx(t.Context(), nil)
	must(t, err)
	var number int64
	must(t, slow.QueryRow(`UPDATE counters SET value = value + 1 WHERE name = 'status_feed' RETURNING value`).Scan(&number))
	_, err = slow.Exec(`INSERT INTO status_feed (number, kind, serial, cert_status, status_reason, status_at, not_after, at) VALUES ($1, 1, '\x42', 1, 0, 0, 0, 0)`, number)
	must(t, err)
	var writing sync.WaitGroup
	writing.Go(func() {
		if _, err := w.moveCredential(c.ID, warifu.VerbActivate, 0, base); err != nil {
			t.Error(err)
		}
	})
	for !waiting(t, bare) { // the quick one is at the counter
	}
	feed, err := w.StatusSince(t.Context(), 0, 10)
	must(t, err)
	equal(t, "seen while the slow one has not committed", len(feed), 0)
	must(t, slow.Commit())
	writing.Wait()
	feed, err = w.StatusSince(t.Context(), 0, 10)
	must(t, err)
	if len(feed) != 2 || feed[0].Number != 1 || string(feed[0].Record.Serial) != "\x42" || feed[1].Number != 2 {
		t.Errorf("the feed is %+v", feed)
	}
}

// A transaction that began first and commits last takes the later number: nothing is put
// in behind a follower's back.
func TestWhoCommitsLastHasTheLaterNumber(t *testing.T) {
	w := openWorld(t, dialects["postgres"](t))
	slow, quick := w.insertCredential(w.insertApplication("p"), warifu.Signature), w.insertCredential(w.insertApplication("q"), warifu.Signature)
	moved, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var writing sync.WaitGroup
	writing.Go(func() {
		err := w.Write(context.Background(), func(tx *store.Tx) error {
			if _, err := tx.MoveCredential(slow.ID, warifu.VerbActivate, 0, base); err != nil {
				return err
			}
			once.Do(func() { close(moved); <-proceed }) // the first try alone is slow
			return tx.Audit(store.Line{At: base, Verb: warifu.VerbActivate, Subject: slow.ID})
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-moved
	_, err := w.moveCredential(quick.ID, warifu.VerbActivate, 0, base)
	must(t, err)
	first, err := w.StatusSince(t.Context(), 0, 10)
	must(t, err)
	if len(first) != 1 || first[0].Number != 1 || string(first[0].Record.Serial) != string(quick.Serial) {
		t.Fatalf("the feed is %+v", first)
	}
	close(proceed)
	writing.Wait()
	rest, err := w.StatusSince(t.Context(), 1, 10)
	must(t, err)
	if len(rest) != 1 || rest[0].Number != 2 || string(rest[0].Record.Serial) != string(slow.Serial) {
		t.Errorf("then it goes on with %+v", rest)
	}
}
