package oidc

import (
	"context"
	"sync"
	"time"

	"warifu"
	"warifu/store"
)

// waitRound is how often the database is asked about logins that somebody waits for.
const waitRound = 150 * time.Millisecond

// waiting wakes those who wait for a login to move. What this process moves it tells at once;
// what another does is seen in the database, by one goroutine for all, which is there only
// while somebody waits.
type waiting struct {
	store Store
	clock warifu.Clock

	mu     sync.Mutex
	chairs map[store.LoginID][]chan struct{}
	going  bool
}

func newWaiting(s Store, clock warifu.Clock) *waiting {
	return &waiting{store: s, clock: clock, chairs: map[store.LoginID][]chan struct{}{}}
}

// Wait returns a channel that is closed when the login is not Waiting any more, or when ctx
// has ended: at once where this process moved it, and within 200 ms where another did. What
// it is then, View tells.
func (p *Provider) Wait(ctx context.Context, login string) <-chan struct{} {
	id, err := idOf(login)
	if err != nil {
		over := make(chan struct{})
		close(over)
		return over
	}
	return p.waiting.wait(ctx, id)
}

func (w *waiting) wait(ctx context.Context, id store.LoginID) <-chan struct{} {
	chair := make(chan struct{})
	w.mu.Lock()
	w.chairs[id] = append(w.chairs[id], chair)
	begin := !w.going
	w.going = true
	w.mu.Unlock()
	context.AfterFunc(ctx, func() { w.leave(id, chair) })
	if begin {
		go w.look()
	}
	// It may have moved before there was a chair.
	if waits, err := w.ask([]store.LoginID{id}); err == nil && !waits[id] {
		w.wake(id)
	}
	return chair
}

// leave takes one chair away.
func (w *waiting) leave(id store.LoginID, chair chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rest := w.chairs[id][:0:0]
	for _, c := range w.chairs[id] {
		if c == chair {
			close(c)
			continue
		}
		rest = append(rest, c)
	}
	if len(rest) == 0 {
		delete(w.chairs, id)
		return
	}
	w.chairs[id] = rest
}

// wake tells everybody who waits for a login.
func (w *waiting) wake(id store.LoginID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.chairs[id] {
		close(c)
	}
	delete(w.chairs, id)
}

// look asks the database again and again until nobody waits.
func (w *waiting) look() {
	round := time.NewTicker(waitRound)
	defer round.Stop()
	for range round.C {
		ids, more := w.asked()
		if !more {
			return
		}
		for len(ids) > 0 {
			page := ids[:min(len(ids), store.LoginsAsked)]
			ids = ids[len(page):]
			waits, err := w.ask(page)
			if err != nil {
				break // the next round asks again
			}
			for _, id := range page {
				if !waits[id] {
					w.wake(id)
				}
			}
		}
	}
}

// asked are the logins that somebody waits for; false, and the end of looking, where none is.
func (w *waiting) asked() ([]store.LoginID, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.chairs) == 0 {
		w.going = false
		return nil, false
	}
	ids := make([]store.LoginID, 0, len(w.chairs))
	for id := range w.chairs {
		ids = append(ids, id)
	}
	return ids, true
}

// ask tells which of a page still wait.
func (w *waiting) ask(ids []store.LoginID) (waits map[store.LoginID]bool, err error) {
	err = w.store.Read(context.Background(), func(tx *store.Tx) (err error) {
		waits, err = tx.LoginsWaiting(ids, w.clock.Now())
		return err
	})
	return waits, err
}
