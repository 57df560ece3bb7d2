package server

import (
	"context"
	"sync"
	"time"
)

// asking gathers questions about certificates of one kind that are asked at about the
// same time into one request (RFC 6960 §4.1.1 allows many in one): while applications
// are worked off in batches, sixteen evidences are gathered beside each other.
type asking struct {
	send func(ctx context.Context, serials [][]byte) ([]byte, error)

	mu   sync.Mutex
	next *question
}

// question is one request on its way and whoever waits for its answer.
type question struct {
	serials [][]byte
	done    chan struct{}
	answer  []byte
	err     error
}

// togetherFor is how long the first question waits for others, and togetherMost how
// many go in one request.
const (
	togetherFor  = time.Millisecond
	togetherMost = 16
)

// ask returns the answer to a request that holds the serial number, and how many
// others it holds.
func (a *asking) ask(ctx context.Context, serial []byte) (answer []byte, others int, err error) {
	a.mu.Lock()
	q := a.next
	if q == nil {
		q = &question{done: make(chan struct{})}
		a.next = q
		// Nobody's context may end what others wait for; send has a limit of its own.
		time.AfterFunc(togetherFor, func() { a.depart(context.WithoutCancel(ctx), q) })
	}
	q.serials = append(q.serials, serial)
	if len(q.serials) == togetherMost {
		a.next = nil // full: the next one begins another
	}
	a.mu.Unlock()
	select {
	case <-q.done:
		return q.answer, len(q.serials) - 1, q.err
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}

// depart sends the request and tells everybody.
func (a *asking) depart(ctx context.Context, q *question) {
	a.mu.Lock()
	if a.next == q {
		a.next = nil
	}
	a.mu.Unlock()
	q.answer, q.err = a.send(ctx, q.serials)
	close(q.done)
}
