package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"warifu/queue"
	"warifu/store"
)

// handTimer is a timer that fires when the test says so.
type handTimer chan time.Time

func (h handTimer) after(time.Duration) <-chan time.Time { return h }

// running starts Run and returns what stops it and waits for its end.
func (o *office) running() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	return func() {
		o.t.Helper()
		cancel()
		must(o.t, <-ended)
	}
}

func TestCommitWakesTheWorker(t *testing.T) {
	never := handTimer(make(chan time.Time))
	o := newOffice(t, sqlite(t), func(c *queue.Config) { c.After = never.after })
	ran := make(chan string)
	o.Handle("issue", 5, func(_ context.Context, jobs []queue.Job) []queue.Result {
		ran <- jobs[0].Application
		return all(jobs, done)
	})
	defer o.running()()
	o.enqueue(queue.Job{Kind: "issue", Application: "a"})
	equal(t, "ran", <-ran, "a")
	o.enqueue(queue.Job{Kind: "issue", Application: "b"})
	equal(t, "ran", <-ran, "b")
}

func TestPollFindsWhatNobodyRangFor(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		poll := handTimer(make(chan time.Time))
		o := newOffice(t, dsn, func(c *queue.Config) { c.After = poll.after })
		ran := make(chan string, 1) // the first poll may find it already
		o.Handle("issue", 5, func(_ context.Context, jobs []queue.Job) []queue.Result {
			ran <- jobs[0].Application
			return all(jobs, done)
		})
		defer o.running()()
		poll <- time.Time{}                                                    // the worker is idle now
		must(t, o.store.Write(context.Background(), func(tx *store.Tx) error { // as another process would
			_, err := tx.EnqueueJob(store.Job{Kind: "issue", Application: "a", DueAt: base})
			return err
		}))
		poll <- time.Time{}
		equal(t, "ran", <-ran, "a")
	})
}

func TestMovedClockIsNoticedOnWake(t *testing.T) {
	never := handTimer(make(chan time.Time))
	o := newOffice(t, sqlite(t), func(c *queue.Config) { c.After = never.after })
	ran := make(chan string)
	o.Handle("issue", 5, func(_ context.Context, jobs []queue.Job) []queue.Result {
		ran <- jobs[0].Application
		return all(jobs, done)
	})
	defer o.running()()
	o.enqueue(queue.Job{Kind: "issue", Application: "a", DueAt: base.Add(time.Hour)})
	o.clock.forward(time.Hour)
	o.Wake()
	equal(t, "ran", <-ran, "a")
}

func TestStopFinishesTheBatchUnderWay(t *testing.T) {
	never := handTimer(make(chan time.Time))
	o := newOffice(t, sqlite(t), func(c *queue.Config) { c.After = never.after })
	entered, leave := make(chan struct{}), make(chan struct{})
	o.Handle("issue", 1, func(ctx context.Context, jobs []queue.Job) []queue.Result {
		close(entered)
		<-leave
		if ctx.Err() != nil {
			return []queue.Result{{Outcome: queue.Retry, Err: ctx.Err()}}
		}
		return []queue.Result{{Outcome: queue.Done, Write: func(tx *store.Tx) error { return effect(tx, "a") }}}
	})
	o.enqueue(queue.Job{Kind: "issue", Application: "a"}, queue.Job{Kind: "issue", Application: "b"})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	<-entered
	cancel()
	select {
	case <-ended:
		t.Error("stopped in the middle of a batch")
	default:
	}
	close(leave)
	must(t, <-ended)
	equal(t, "effects", o.effects(), 1)
	equal(t, "left for the next start", o.depth("issue").Ready, 1)
	equal(t, "under lease", o.depth("issue").Leased, 0)
}

func TestClosedStoreDoesNotEndTheWorker(t *testing.T) {
	poll := handTimer(make(chan time.Time))
	o := newOffice(t, sqlite(t), func(c *queue.Config) { c.After = poll.after })
	o.Handle("issue", 1, func(_ context.Context, jobs []queue.Job) []queue.Result { return all(jobs, done) })
	stop := o.running()
	poll <- time.Time{}
	must(t, o.store.Close())
	for range 3 { // it fails, and tries again at each poll
		poll <- time.Time{}
	}
	stop()
	if _, err := o.Drain(context.Background()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
