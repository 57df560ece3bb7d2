package queue_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/internal/postgrestest"
	"warifu/queue"
	"warifu/store"
)

var base = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// clock only moves when told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// noSeal is for stores whose sealed table no test touches.
type noSeal struct{}

var errNoSeal = errors.New("nothing is sealed here")

func (noSeal) Seal(_, _ []byte) ([]byte, error) { return nil, errNoSeal }
func (noSeal) Open(_, _ []byte) ([]byte, error) { return nil, errNoSeal }
func (noSeal) Index([]byte) ([]byte, error)     { return nil, errNoSeal }

// office is a queue under test with its store and its clock.
type office struct {
	*queue.Queue
	store *store.Store
	clock *clock
	t     testing.TB
}

func newOffice(t testing.TB, dsn string, change func(*queue.Config)) *office {
	t.Helper()
	must(t, store.Migrate(context.Background(), dsn))
	c := &clock{now: base}
	s, err := store.Open(context.Background(), dsn, noSeal{}, c)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	config := queue.Config{Store: s, Clock: c, Log: quiet()}
	if change != nil {
		change(&config)
	}
	return &office{Queue: queue.New(config), store: s, clock: c, t: t}
}

func onBoth(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqlite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgrestest.DSN(t)) })
}

func sqlite(t testing.TB) string { return "sqlite:" + t.TempDir() + "/q.db" }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// enqueue writes jobs in one transaction.
func (o *office) enqueue(jobs ...queue.Job) {
	o.t.Helper()
	must(o.t, o.store.Write(context.Background(), func(tx *store.Tx) error {
		for _, j := range jobs {
			if err := o.Enqueue(tx, j); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (o *office) drain() int {
	o.t.Helper()
	n, err := o.Drain(context.Background())
	must(o.t, err)
	return n
}

// depth is the state of one kind of job.
func (o *office) depth(kind string) store.JobDepth {
	o.t.Helper()
	all, err := o.Depths(context.Background())
	must(o.t, err)
	for _, d := range all {
		if d.Kind == kind {
			return d
		}
	}
	return store.JobDepth{Kind: kind}
}

// effect writes a row that only one transaction may ever write: a second one with
// the same name fails.
func effect(tx *store.Tx, name string) error {
	return tx.UseChallenge(warifu.DigestOf([]byte(name)), base)
}

// effects counts rows written by effect.
func (o *office) effects() int64 {
	o.t.Helper()
	var n int64
	roll := errors.New("only counting")
	err := o.store.Write(context.Background(), func(tx *store.Tx) (err error) {
		if n, err = tx.PurgeChallenges(base.Add(time.Second)); err != nil {
			return err
		}
		return roll
	})
	if !errors.Is(err, roll) {
		o.t.Fatal(err)
	}
	return n
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func all(jobs []queue.Job, answer func(j queue.Job) queue.Result) []queue.Result {
	out := make([]queue.Result, len(jobs))
	for i, j := range jobs {
		out[i] = answer(j)
	}
	return out
}

func done(queue.Job) queue.Result { return queue.Result{Outcome: queue.Done} }
