package crashtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"warifu/phone"
)

// fleet is many phones, some of which share a holder.
type fleet struct {
	town   *town
	line   *line
	server *phone.Server
	seed   uint64

	mu     sync.Mutex
	phones []*handheld
	failed []error
	enough chan struct{} // closed: no further phone begins
	all    sync.WaitGroup
}

func newFleet(t *testing.T, tn *town, seed uint64) *fleet {
	t.Helper()
	f := &fleet{town: tn, line: newLine(tn), seed: seed, enough: make(chan struct{})}
	var err error
	f.server, err = phone.NewServer(tn.origin, &http.Client{Transport: f.line})
	must(t, err)
	t.Cleanup(f.line.inner.CloseIdleConnections)
	return f
}

// begin lets n holders carry out one plan after the other, each with a phone of its own.
func (f *fleet) begin(ctx context.Context, n int) {
	for range n {
		f.all.Go(func() {
			for f.more() {
				if err := f.one(ctx); err != nil {
					f.fail(err)
					return
				}
			}
		})
	}
}

func (f *fleet) more() bool {
	select {
	case <-f.enough:
		return false
	default:
		return true
	}
}

func (f *fleet) fail(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = append(f.failed, err)
}

func (f *fleet) one(ctx context.Context) error {
	f.mu.Lock()
	n := len(f.phones)
	h, err := f.make(n)
	if err == nil {
		f.phones = append(f.phones, h)
	}
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return h.live(ctx)
}

// make gives the n-th phone its holder and plan: one in six is a holder's second.
func (f *fleet) make(n int) (*handheld, error) {
	r := rand.New(rand.NewPCG(f.seed, uint64(n)))
	holder := n
	if n%6 == 5 {
		holder = n - 1 - r.IntN(5)
	}
	who, err := f.town.resident(holder)
	if err != nil {
		return nil, err
	}
	p := planUse
	switch r.IntN(10) {
	case 0:
		p = planDrawer
	case 1:
		p = planWithdraw
	}
	return f.town.newHandheld(fmt.Sprintf("phone-%d", n), who, p, f.server)
}

// finish lets no further phone begin and waits until every plan is carried out.
func (f *fleet) finish(t *testing.T, patience time.Duration) {
	t.Helper()
	f.halt()
	done := make(chan struct{})
	go func() { f.all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		for _, h := range f.list() {
			if !h.over {
				t.Errorf("%s (%s) waits: application %s is %s", h.name, h.plan, h.id, h.seen)
			}
		}
		t.Fatal("some phones wait for ever")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, err := range f.failed {
		t.Error(err)
	}
	f.line.mu.Lock()
	defer f.line.mu.Unlock()
	for _, fault := range f.line.faults {
		t.Errorf("an answer that is no good: %s", fault)
	}
}

func (f *fleet) halt() {
	if f.more() {
		close(f.enough)
	}
}

func (f *fleet) list() []*handheld {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.phones)
}

// awaitAcceptance returns once n further applications were accepted.
func (f *fleet) awaitAcceptance(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for enough := f.town.acceptances() + n; f.town.acceptances() < enough; {
		if ctx.Err() != nil {
			t.Fatal("the server accepts nothing any more")
		}
		wait(ctx, 5*time.Millisecond)
	}
}

func (tn *town) acceptances() int {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return len(tn.accepted)
}
