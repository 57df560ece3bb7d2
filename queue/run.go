package queue

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/store"
)

// Run works, one worker for each kind, until ctx ends; then it leases nothing more,
// lets batches under way finish and be settled, and returns nil.
func (q *Queue) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for _, w := range q.works {
		workers.Go(func() { q.work(ctx, w) })
	}
	workers.Wait()
	return nil
}

func (q *Queue) work(ctx context.Context, w *work) {
	for ctx.Err() == nil {
		n, err := q.step(ctx, w)
		if err != nil && ctx.Err() == nil {
			q.config.Log.Error("queue: step failed", "kind", w.kind, "error", err)
		}
		if n > 0 && err == nil {
			continue // there may be more
		}
		select {
		case <-w.bell:
		case <-q.config.After(q.config.Poll):
		case <-ctx.Done():
		}
	}
}

// Drain runs everything that is due now, and what that enqueues, until nothing is,
// and returns how many jobs were run. It is for the time machine, for tools and for
// tests; it may run beside Run.
func (q *Queue) Drain(ctx context.Context) (int, error) {
	total := 0
	for {
		before := total
		for _, w := range q.works {
			n, err := q.step(ctx, w)
			total += n
			if err != nil {
				return total, err
			}
		}
		if total == before {
			return total, nil
		}
	}
}

// step leases one batch, runs it and settles it. It returns how many jobs it leased.
func (q *Queue) step(ctx context.Context, w *work) (int, error) {
	if err := q.rescue(ctx); err != nil {
		return 0, err
	}
	began := q.config.Clock.Now()
	jobs, err := q.lease(ctx, w)
	if err != nil || len(jobs) == 0 {
		return 0, err
	}
	steady := context.WithoutCancel(ctx) // a batch begun is finished
	bounded, cancel := context.WithTimeout(steady, q.config.Lease)
	defer cancel()
	results := q.handle(bounded, w, jobs)
	if err := q.settle(steady, jobs, results); err != nil {
		return len(jobs), err
	}
	q.tell(w.kind, results, began)
	return len(jobs), nil
}

// tell says how the batch went to whoever wants to know how fast work is done.
func (q *Queue) tell(kind string, results []Result, began time.Time) {
	if q.config.Worked == nil {
		return
	}
	done := 0
	for _, r := range results {
		if r.Outcome == Done {
			done++
		}
	}
	q.config.Worked(kind, done, q.config.Clock.Now().Sub(began))
}

func (q *Queue) lease(ctx context.Context, w *work) ([]Job, error) {
	var jobs []Job
	err := q.config.Store.Write(ctx, func(tx *store.Tx) (err error) {
		jobs, err = tx.LeaseJobs(w.kind, q.config.Clock.Now(), q.config.Lease, w.batch)
		return err
	})
	return jobs, err
}

// rescue frees the jobs of dead workers, at most once a poll for all kinds together.
func (q *Queue) rescue(ctx context.Context) error {
	now := q.config.Clock.Now()
	if !q.rescueDue(now) {
		return nil
	}
	var n int64
	err := q.config.Store.Write(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.RescueJobs(now)
		return err
	})
	if n > 0 && err == nil {
		q.config.Log.Warn("queue: rescued jobs of a dead or slow worker", "jobs", n)
	}
	return err
}

func (q *Queue) rescueDue(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.rescued.IsZero() && now.Sub(q.rescued) < q.config.Poll {
		return false
	}
	q.rescued = now
	return true
}

var errNoAnswer = errors.New("queue: the handler panicked or gave no answer")

// handle runs the handler and makes its answers exactly one for each job.
func (q *Queue) handle(ctx context.Context, w *work, jobs []Job) (results []Result) {
	defer func() {
		if v := recover(); v != nil {
			// The value may quote what it choked on, so only the stack is logged.
			q.config.Log.Error("queue: handler panicked", "kind", w.kind, "stack", string(debug.Stack()))
			results = nil
		}
		for len(results) < len(jobs) {
			results = append(results, Result{Err: errNoAnswer})
		}
		results = results[:len(jobs)]
	}()
	return w.handler(ctx, jobs)
}

// settle commits all results in one transaction. Where one of them cannot be, each
// is settled by itself, so that it does not take the others with it.
func (q *Queue) settle(ctx context.Context, jobs []Job, results []Result) error {
	err := q.config.Store.Write(ctx, func(tx *store.Tx) error {
		for i, j := range jobs {
			if err := q.end(tx, j, results[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || isUnavailable(err) {
		return err // unavailable: the lease will end and the batch be run again
	}
	for i, j := range jobs {
		if err := q.settleOne(ctx, j, results[i]); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) settleOne(ctx context.Context, j Job, r Result) error {
	err := q.config.Store.Write(ctx, func(tx *store.Tx) error { return q.end(tx, j, r) })
	if err == nil || isUnavailable(err) {
		return err
	}
	problem := warifu.ProblemOf(err).Problem
	q.config.Log.Warn("queue: result not settled", "kind", j.Kind, "application", j.Application, "attempt", j.Attempt, "problem", problem)
	if problem == "lease-lost" {
		return nil // somebody else has the job, and will have its effect
	}
	again := q.config.Store.Write(ctx, func(tx *store.Tx) error { return q.end(tx, j, Result{Err: err}) })
	if again != nil && warifu.ProblemOf(again).Problem == "lease-lost" {
		return nil
	}
	return again
}

// end writes one job's end: first the claim that the lease still holds, then the effect.
func (q *Queue) end(tx *store.Tx, j Job, r Result) error {
	if err := q.release(tx, j, r); err != nil {
		return err
	}
	if r.Write == nil {
		return nil
	}
	return r.Write(tx)
}

func (q *Queue) release(tx *store.Tx, j Job, r Result) error {
	problem := ""
	if e := warifu.ProblemOf(r.Err); e != nil {
		problem = e.Problem
	}
	switch r.Outcome {
	case Done:
		return tx.CompleteJob(j)
	case Dead:
		return tx.BuryJob(j, problem)
	}
	at := r.At
	if at.IsZero() {
		at = q.config.Clock.Now().Add(q.backoff(j.Attempt))
	}
	return tx.RetryJob(j, at, problem)
}

// backoff is how long to wait after the given number of tries.
func (q *Queue) backoff(tries int) time.Duration {
	d := q.config.Backoff
	for ; tries > 1 && d < q.config.Ceiling; tries-- {
		d *= 2
	}
	return min(d, q.config.Ceiling)
}

// isUnavailable reports whether the database could not be had: settling the jobs
// one by one would fare no better.
func isUnavailable(err error) bool {
	e := warifu.ProblemOf(err)
	return e.Code == warifu.CodeUnavailable && strings.HasPrefix(e.Problem, "store-")
}
