package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/queue"
	"warifu/store"
)

func TestJobExistsOnlyIfItsTransactionDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		o := newOffice(t, dsn, nil)
		no := errors.New("no")
		err := o.store.Write(context.Background(), func(tx *store.Tx) error {
			must(t, o.Enqueue(tx, queue.Job{Kind: "issue", Application: "a"}))
			return no
		})
		if !errors.Is(err, no) {
			t.Errorf("got %v", err)
		}
		equal(t, "jobs", o.depth("issue").Ready, 0)
	})
}

func TestBatchesRunInOrderOfDueTimeAndArrival(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		o := newOffice(t, dsn, nil)
		var order []string
		var sizes []int
		o.Handle("issue", 4, func(_ context.Context, jobs []queue.Job) []queue.Result {
			sizes = append(sizes, len(jobs))
			return all(jobs, func(j queue.Job) queue.Result {
				order = append(order, j.Application)
				return done(j)
			})
		})
		tomorrow := base.Add(24 * time.Hour)
		for i := range 10 {
			o.enqueue(queue.Job{Kind: "issue", Application: fmt.Sprint(i), DueAt: tomorrow})
		}
		o.enqueue(queue.Job{Kind: "issue", Application: "today"})
		equal(t, "today", o.drain(), 1)
		o.clock.forward(24 * time.Hour)
		equal(t, "tomorrow", o.drain(), 10)
		equal(t, "order", strings.Join(order, " "), "today 0 1 2 3 4 5 6 7 8 9")
		equal(t, "batches", fmt.Sprint(sizes), "[1 4 4 2]")
	})
}

func TestResultsAndTheirWritesCommitTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		o := newOffice(t, dsn, nil)
		o.Handle("issue", 10, func(_ context.Context, jobs []queue.Job) []queue.Result {
			return all(jobs, func(j queue.Job) queue.Result {
				return queue.Result{Outcome: queue.Done, Write: func(tx *store.Tx) error {
					if err := effect(tx, j.Application); err != nil {
						return err
					}
					return o.Enqueue(tx, queue.Job{Kind: "notify", Application: j.Application})
				}}
			})
		})
		notified := 0
		o.Handle("notify", 10, func(_ context.Context, jobs []queue.Job) []queue.Result {
			notified += len(jobs)
			return all(jobs, done)
		})
		for i := range 5 {
			o.enqueue(queue.Job{Kind: "issue", Application: fmt.Sprint(i)})
		}
		equal(t, "run", o.drain(), 10)
		equal(t, "effects", o.effects(), 5)
		equal(t, "notified", notified, 5)
	})
}

func TestOneFailingWriteDoesNotTakeItsBatchWithIt(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		o := newOffice(t, dsn, nil)
		o.Handle("issue", 10, func(_ context.Context, jobs []queue.Job) []queue.Result {
			return all(jobs, func(j queue.Job) queue.Result {
				return queue.Result{Outcome: queue.Done, Write: func(tx *store.Tx) error {
					if err := effect(tx, j.Application); err != nil {
						return err
					}
					if j.Application == "2" && j.Attempt < 3 {
						return warifu.Refused("not-yet")
					}
					return nil
				}}
			})
		})
		for i := range 5 {
			o.enqueue(queue.Job{Kind: "issue", Application: fmt.Sprint(i)})
		}
		o.drain()
		equal(t, "effects of the others", o.effects(), 4)
		equal(t, "kept for another try", o.depth("issue").Ready, 1)
		for range 2 {
			o.clock.forward(time.Minute)
			o.drain()
		}
		equal(t, "effects in the end", o.effects(), 5)
	})
}

func TestBackOffDoublesUpToItsCeiling(t *testing.T) {
	o := newOffice(t, sqlite(t), func(c *queue.Config) { c.Backoff, c.Ceiling = time.Second, 10*time.Second })
	o.Handle("issue", 1, func(_ context.Context, jobs []queue.Job) []queue.Result {
		return []queue.Result{{Outcome: queue.Retry, Err: warifu.Unavailable("card-bureau-silent")}}
	})
	o.enqueue(queue.Job{Kind: "issue", Application: "a"})
	var waits []time.Duration
	for range 6 {
		equal(t, "run", o.drain(), 1)
		wait := o.depth("issue").OldestDue.Sub(o.clock.Now())
		waits = append(waits, wait)
		o.clock.forward(wait)
	}
	equal(t, "waits", fmt.Sprint(waits), "[1s 2s 4s 8s 10s 10s]")
}

func TestHandlerMaySayWhen(t *testing.T) {
	o := newOffice(t, sqlite(t), nil)
	opening := base.Add(15 * time.Hour)
	o.Handle("issue", 1, func(_ context.Context, jobs []queue.Job) []queue.Result {
		return []queue.Result{{Outcome: queue.Retry, At: opening}}
	})
	o.enqueue(queue.Job{Kind: "issue", Application: "a"})
	o.drain()
	equal(t, "due", o.depth("issue").OldestDue, opening)
}

func TestPanicAndSilenceAreRetries(t *testing.T) {
	o := newOffice(t, sqlite(t), nil)
	o.Handle("panics", 3, func(context.Context, []queue.Job) []queue.Result { panic("boom") })
	o.Handle("says too little", 3, func(_ context.Context, jobs []queue.Job) []queue.Result { return all(jobs, done)[:1] })
	o.Handle("says too much", 3, func(_ context.Context, jobs []queue.Job) []queue.Result {
		return append(all(jobs, done), queue.Result{Outcome: queue.Dead})
	})
	for _, kind := range []string{"panics", "says too little", "says too much"} {
		for i := range 3 {
			o.enqueue(queue.Job{Kind: kind, Application: fmt.Sprint(i)})
		}
	}
	equal(t, "run", o.drain(), 9)
	equal(t, "after a panic", o.depth("panics").Ready, 3)
	equal(t, "after too little", o.depth("says too little").Ready, 2)
	equal(t, "after too much", o.depth("says too much").Ready, 0)
}

func TestDeadJobIsKeptAndNeverRunAgain(t *testing.T) {
	o := newOffice(t, sqlite(t), nil)
	o.Handle("issue", 1, func(context.Context, []queue.Job) []queue.Result { return []queue.Result{{Outcome: queue.Dead}} })
	o.enqueue(queue.Job{Kind: "issue", Application: "a"})
	equal(t, "run", o.drain(), 1)
	o.clock.forward(time.Hour)
	equal(t, "run again", o.drain(), 0)
	equal(t, "dead", o.depth("issue").Dead, 1)
}

func TestDeadWorkersJobIsRescuedAndItsOwnEndRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		o := newOffice(t, dsn, nil)
		runs := 0
		o.Handle("issue", 1, func(_ context.Context, jobs []queue.Job) []queue.Result {
			runs++
			if runs == 1 { // slower than its lease: meanwhile another worker rescues the job and ends it
				o.clock.forward(2 * time.Minute)
				equal(t, "the rescuer ran", o.drain(), 1)
			}
			name := fmt.Sprint("run ", runs)
			return []queue.Result{{Outcome: queue.Done, Write: func(tx *store.Tx) error { return effect(tx, name) }}}
		})
		o.enqueue(queue.Job{Kind: "issue", Application: "a"})
		o.drain()
		equal(t, "runs", runs, 2)
		equal(t, "effects", o.effects(), 1)
		equal(t, "left", o.depth("issue"), store.JobDepth{Kind: "issue"})
	})
}

func TestHandleTwiceIsAProgrammersError(t *testing.T) {
	o := newOffice(t, sqlite(t), nil)
	o.Handle("issue", 1, nil)
	defer func() {
		if recover() == nil {
			t.Error("accepted")
		}
	}()
	o.Handle("issue", 1, nil)
}
