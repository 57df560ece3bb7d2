package server

import (
	"context"
	"math"
	"sync"
	"time"

	"warifu/store"
)

// rate is how many applications a second this server issues while it works on them:
// what the forecast of K1 divides what waits by. It is measured batch by batch, from
// the lease to the commit, and forgets: what was measured a rateHalf of work ago counts
// half. Idle time counts nothing, since a backlog leaves none. Single applications on a
// quiet day take longer each than those of a full batch, so the rate after one is on the
// cautious side until a backlog has been worked on for some seconds.
//
// Several servers on one database each measure themselves and forecast as if they were
// alone: late rather than early.
type rate struct {
	mu            sync.Mutex
	done, seconds float64
}

// firstRate is believed until something was measured, and then weighs as much as
// firstSeconds of work: a third of what RSA-2048, the slowest, does on one core
// (docs/performance.md).
const (
	firstRate    = 50
	firstSeconds = 1
	rateHalf     = 30 * time.Second
	longestBatch = 10 * time.Minute // beyond it the clock was moved, not work done
)

func newRate() *rate { return &rate{done: firstRate * firstSeconds, seconds: firstSeconds} }

// worked is told of each batch (queue.Config.Worked).
func (r *rate) worked(kind string, done int, took time.Duration) {
	if kind != "issue" || done == 0 || took <= 0 || took > longestBatch {
		return
	}
	keep := math.Exp2(-took.Seconds() / rateHalf.Seconds())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.seconds = r.done*keep+float64(done), r.seconds*keep+took.Seconds()
}

// worked is told of each batch: for the rate, and for how far a backlog has come.
func (s *Server) worked(r *rate) func(kind string, done int, took time.Duration) {
	count := func() (n int64, err error) {
		err = s.store.Read(context.Background(), func(tx *store.Tx) (err error) {
			n, err = tx.JobsDueBy(workIssue, s.clock.Now())
			return err
		})
		return n, err
	}
	return func(kind string, done int, took time.Duration) {
		r.worked(kind, done, took)
		s.metrics.observed.underWay.worked(kind, done, count)
	}
}

// perSecond is the rate now.
func (r *rate) perSecond() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done / r.seconds
}
