package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/attest"
)

// inquiry asks for one card statement.
type inquiry struct {
	Certificate []byte        `json:"certificate"`
	Nonce       warifu.Digest `json:"nonce"`
}

// inquiries gathers questions for card statements that are asked at about the same time,
// for the bureau to answer under one signature, which is then verified once. The zero
// value is ready.
type inquiries struct {
	alone atomic.Bool // the bureau was found to answer one at a time

	mu   sync.Mutex
	next *round
	last int // questions of the round before
}

// round is one request in the making or on its way.
type round struct {
	asked   []inquiry
	full    chan struct{} // closed when nothing more goes in
	done    chan struct{}
	answers [][]byte
	err     error
}

// A round waits for others as long as asking does, and longer where the one before had
// company: who applies while many do waits some milliseconds for them.
const togetherBusy = 8 * time.Millisecond

// ask returns the answer to the question; nil where it has to be asked by itself.
func (q *inquiries) ask(ctx context.Context, i inquiry, send func(context.Context, []inquiry) ([][]byte, error)) ([]byte, error) {
	if q.alone.Load() {
		return nil, nil
	}
	q.mu.Lock()
	r := q.next
	if r == nil {
		r = &round{full: make(chan struct{}), done: make(chan struct{})}
		q.next = r
		wait := togetherFor
		if q.last > 1 {
			wait = togetherBusy
		}
		// Nobody's context may end what others wait for; send has a limit of its own.
		go q.depart(context.WithoutCancel(ctx), r, wait, send)
	}
	place := len(r.asked)
	r.asked = append(r.asked, i)
	if len(r.asked) == attest.MaxTogether {
		q.next = nil // full: the next one begins another
		close(r.full)
	}
	q.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if r.err != nil || r.answers == nil {
		return nil, r.err
	}
	return r.answers[place], nil
}

// depart sends the request when it is full or nobody came for a while. Whoever is alone
// in it asks by themselves.
func (q *inquiries) depart(ctx context.Context, r *round, wait time.Duration, send func(context.Context, []inquiry) ([][]byte, error)) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.full:
	}
	q.mu.Lock()
	if q.next == r {
		q.next = nil
	}
	q.last = len(r.asked)
	q.mu.Unlock()
	defer close(r.done)
	if len(r.asked) == 1 {
		return
	}
	r.answers, r.err = send(ctx, r.asked)
	var status statusError
	if errors.As(r.err, &status) { // it answers, but not this: one question may do harm to the others
		r.answers, r.err = nil, nil
		q.alone.Store(q.alone.Load() || status == http.StatusNotFound || status == http.StatusMethodNotAllowed) // until the next start
	}
}

// together asks for several statements in one request.
func (b *bureauClient) together(ctx context.Context, questions []inquiry) ([][]byte, error) {
	body, err := json.Marshal(struct {
		Questions []inquiry `json:"questions"`
	}{questions})
	if err != nil {
		return nil, err
	}
	answer, err := b.postUpTo(ctx, "/statements/together", "application/json", body, attest.MaxTogether*maxStatement)
	if err != nil {
		return nil, err
	}
	var out struct {
		Statements [][]byte `json:"statements"`
	}
	if err := json.Unmarshal(answer, &out); err != nil || len(out.Statements) != len(questions) {
		return nil, warifu.Unavailable("bureau-unreachable").With(err)
	}
	return out.Statements, nil
}
