package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"warifu"
	"warifu/store"
)

// Job is one leased job. Kind says which handler it is for, Application what it is
// about, Attempt how often it was leased, this time included.
type Job = store.Job

// Outcome says what becomes of a job.
type Outcome int

// The outcomes. The zero value is the safe one.
const (
	Retry Outcome = iota // run it again: at Result.At, or after the back-off
	Done                 // remove it
	Dead                 // keep it for an operator, and never run it again
)

// Result answers one job.
type Result struct {
	Outcome Outcome
	// Write is run in the transaction that settles the job, whatever the outcome; an
	// error keeps both from happening, and the job is tried again. It may be run more
	// than once (see store.Store.Write). May be nil.
	Write func(*store.Tx) error
	// At is when to try again; zero means after the back-off.
	At time.Time
	// Err is what went wrong, if anything: its slug is kept with the job.
	Err error
}

// Handler works on a batch of jobs of one kind and answers each, in order. Its
// context outlives a stop of the queue, so that a batch begun is finished, and ends
// with the lease. A panic, or a missing answer, is a Retry.
type Handler func(ctx context.Context, jobs []Job) []Result

// Config is what a queue needs; zero durations mean the default beside them.
type Config struct {
	Store *store.Store
	Clock warifu.Clock // decides what is due
	Log   *slog.Logger // nil: slog.Default()

	Poll    time.Duration // 1 s: how long enqueueing elsewhere may go unnoticed
	Lease   time.Duration // 1 min: after which a silent worker counts as dead
	Backoff time.Duration // 1 s: before the second try; doubles with each
	Ceiling time.Duration // 5 min: the longest back-off

	// Worked is told of each batch that was settled: how many of its jobs are done, and how
	// long it took from the lease to the commit by Clock. May be nil.
	Worked func(kind string, done int, took time.Duration)

	// After is the timer; nil means time.After. Tests hand in one they fire themselves.
	After func(time.Duration) <-chan time.Time
}

// Queue runs handlers. Make it with New, tell it its handlers, then Run it.
type Queue struct {
	config Config
	works  []*work
	byKind map[string]*work

	mu      sync.Mutex
	rescued time.Time // when leases were last looked through
}

// work is one kind's handler and the bell that wakes its worker.
type work struct {
	kind    string
	batch   int
	handler Handler
	bell    chan struct{}
}

// New makes a queue without handlers: it can enqueue, and Run has nothing to do.
func New(c Config) *Queue {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.After == nil {
		c.After = time.After
	}
	c.Poll = orElse(c.Poll, time.Second)
	c.Lease = orElse(c.Lease, time.Minute)
	c.Backoff = orElse(c.Backoff, time.Second)
	c.Ceiling = orElse(c.Ceiling, 5*time.Minute)
	return &Queue{config: c, byKind: map[string]*work{}}
}

func orElse(d, standard time.Duration) time.Duration {
	if d <= 0 {
		return standard
	}
	return d
}

// Handle names the handler of a kind and how many jobs it takes at a time. All
// handlers are named before Run; naming a kind twice is a programmer's error and panics.
func (q *Queue) Handle(kind string, batch int, h Handler) {
	if q.byKind[kind] != nil || batch < 1 {
		panic("queue: kind " + kind + " handled twice or without a batch")
	}
	w := &work{kind: kind, batch: batch, handler: h, bell: make(chan struct{}, 1)}
	q.works = append(q.works, w)
	q.byKind[kind] = w
}

// Enqueue writes a job in the caller's transaction. While one of the kind with the
// same UniqueKey (the Application unless named) is waiting or running, it writes no
// second one: that one will do. Zero EnqueuedAt and DueAt mean now.
func (q *Queue) Enqueue(tx *store.Tx, j Job) error {
	now := q.config.Clock.Now()
	if j.EnqueuedAt.IsZero() {
		j.EnqueuedAt = now
	}
	if j.DueAt.IsZero() {
		j.DueAt = now
	}
	written, err := tx.EnqueueJob(j)
	if written {
		tx.AfterCommit(func() { q.ring(j.Kind) })
	}
	return err
}

// Wake makes the workers of these kinds look now, or all of them when none is
// named: after the clock was moved.
func (q *Queue) Wake(kinds ...string) {
	if len(kinds) == 0 {
		for _, w := range q.works {
			q.ring(w.kind)
		}
	}
	for _, k := range kinds {
		q.ring(k)
	}
}

func (q *Queue) ring(kind string) {
	w := q.byKind[kind]
	if w == nil {
		return // handled by another process, which polls
	}
	select {
	case w.bell <- struct{}{}:
	default: // it is ringing already
	}
}

// Depths describes the jobs of every kind, for metrics and the forecast.
func (q *Queue) Depths(ctx context.Context) ([]store.JobDepth, error) {
	var depths []store.JobDepth
	err := q.config.Store.Read(ctx, func(tx *store.Tx) (err error) {
		depths, err = tx.JobDepths()
		return err
	})
	return depths, err
}
