package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"warifu/store"
)

func (w *world) enqueue(j store.Job) (written bool) {
	w.t.Helper()
	w.write(func(tx *store.Tx) (err error) {
		written, err = tx.EnqueueJob(j)
		return err
	})
	return written
}

func (w *world) lease(kind string, now time.Time, limit int) (jobs []store.Job) {
	w.t.Helper()
	w.write(func(tx *store.Tx) (err error) {
		jobs, err = tx.LeaseJobs(kind, now, time.Minute, limit)
		return err
	})
	return jobs
}

func names(jobs []store.Job) string {
	out := ""
	for _, j := range jobs {
		out += j.Application + " "
	}
	return out
}

func TestJobsAreLeasedInOrderOfDueTimeAndArrival(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, due := range []int{2, 1, 1, 3, 1} {
			w.enqueue(store.Job{Kind: "issue", Application: fmt.Sprint(i), DueAt: base.Add(time.Duration(due) * time.Hour)})
		}
		w.enqueue(store.Job{Kind: "notify", Application: "other kind", DueAt: base})
		equal(t, "before their time", names(w.lease("issue", base, 10)), "")
		equal(t, "first batch", names(w.lease("issue", base.Add(2*time.Hour), 2)), "1 2 ")
		equal(t, "second batch", names(w.lease("issue", base.Add(2*time.Hour), 10)), "4 0 ")
	})
}

func TestJobIsUniqueWhileItLives(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		j := store.Job{Kind: "issue", Application: "a", DueAt: base}
		equal(t, "first", w.enqueue(j), true)
		equal(t, "while ready", w.enqueue(j), false)
		leased := w.lease("issue", base, 1)
		equal(t, "while leased", w.enqueue(j), false)
		equal(t, "another kind", w.enqueue(store.Job{Kind: "notify", Application: "a", DueAt: base}), true)
		w.write(func(tx *store.Tx) error { return tx.BuryJob(leased[0], "broken") })
		equal(t, "after its death", w.enqueue(j), true)
		leased = w.lease("issue", base, 1)
		w.write(func(tx *store.Tx) error { return tx.CompleteJob(leased[0]) })
		equal(t, "after its end", w.enqueue(j), true)
	})
}

func TestRescuedJobKeepsItsPlaceAndVoidsTheOldLease(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i := range 3 {
			w.enqueue(store.Job{Kind: "issue", Application: fmt.Sprint(i), DueAt: base})
		}
		old := w.lease("issue", base, 1)
		w.write(func(tx *store.Tx) error {
			n, err := tx.RescueJobs(base.Add(time.Minute))
			equal(t, "too early", n, 0)
			return err
		})
		w.write(func(tx *store.Tx) error {
			n, err := tx.RescueJobs(base.Add(time.Minute + time.Microsecond))
			equal(t, "rescued", n, 1)
			return err
		})
		again := w.lease("issue", base, 10)
		equal(t, "order", names(again), "0 1 2 ")
		equal(t, "attempt", again[0].Attempt, 2)
		for what, settle := range map[string]func(*store.Tx) error{
			"complete": func(tx *store.Tx) error { return tx.CompleteJob(old[0]) },
			"retry":    func(tx *store.Tx) error { return tx.RetryJob(old[0], base, "") },
			"bury":     func(tx *store.Tx) error { return tx.BuryJob(old[0], "") },
		} {
			err := w.Write(context.Background(), settle)
			if err == nil {
				t.Errorf("%s with a lost lease", what)
				continue
			}
			wantProblem(t, err, "lease-lost")
		}
		w.write(func(tx *store.Tx) error { return tx.CompleteJob(again[0]) })
	})
}

func TestDroppedJobIsLostToItsWorker(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.enqueue(store.Job{Kind: "issue", Application: "a", DueAt: base})
		leased := w.lease("issue", base, 1)
		w.write(func(tx *store.Tx) error {
			n, err := tx.DropJobs("issue", "a")
			equal(t, "dropped", n, 1)
			return err
		})
		wantProblem(t, w.Write(context.Background(), func(tx *store.Tx) error { return tx.CompleteJob(leased[0]) }), "lease-lost")
	})
}

func TestRivalWorkersNeverShareAJob(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const n = 120
		w.write(func(tx *store.Tx) error {
			for i := range n {
				if _, err := tx.EnqueueJob(store.Job{Kind: "issue", Application: fmt.Sprint(i), DueAt: base}); err != nil {
					return err
				}
			}
			return nil
		})
		var mu sync.Mutex
		seen := map[string]int{}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					jobs := w.lease("issue", base, 7)
					if len(jobs) == 0 {
						return
					}
					mu.Lock()
					for _, j := range jobs {
						seen[j.Application]++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		equal(t, "jobs", len(seen), n)
		for a, times := range seen {
			equal(t, "leases of "+a, times, 1)
		}
	})
}

func TestDepthsSayAgeAndState(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i := range 4 {
			w.enqueue(store.Job{Kind: "issue", Application: fmt.Sprint(i), DueAt: base.Add(time.Duration(i) * time.Hour)})
		}
		leased := w.lease("issue", base.Add(time.Hour), 2)
		w.write(func(tx *store.Tx) error { return tx.BuryJob(leased[0], "broken") })
		w.read(func(tx *store.Tx) error {
			d, err := tx.JobDepths()
			must(t, err)
			want := store.JobDepth{Kind: "issue", Ready: 2, Leased: 1, Dead: 1, OldestDue: base.Add(2 * time.Hour), LatestDue: base.Add(3 * time.Hour)}
			equal(t, "depth", d[0], want)
			n, err := tx.JobsDueBy("issue", base.Add(2*time.Hour))
			equal(t, "due by", n, 1)
			return err
		})
	})
}
