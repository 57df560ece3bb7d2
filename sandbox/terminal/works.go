package terminal

import (
	"context"
	"net/http"
	"sync"
	"time"

	"warifu/sandbox/doorway"
)

// patience bounds a step that takes a while: a tap at a real reader waits for the person.
const patience = 2 * time.Minute

// Works are the steps that are under way or have ended, one for each visit. Its zero value
// has none.
type Works[V any] struct {
	mu  sync.Mutex
	all map[string]*Work[V]
}

// Work is one step that takes a while.
type Work[V any] struct {
	What  string // the screen that is shown meanwhile
	Of    V      // the visit as it was when the step began
	done  chan struct{}
	stop  context.CancelFunc
	err   error
	ended bool
}

// Start has f do its work beside the request, for the visit id. It reports false where a
// step of that visit is under way: the second press of a button changes nothing.
func (w *Works[V]) Start(ctx context.Context, id, what string, of V, f func(context.Context) error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before := w.all[id]; before != nil && !before.ended {
		return false
	}
	if w.all == nil {
		w.all = map[string]*Work[V]{}
	}
	ending := doorway.Ending(ctx)
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	one := &Work[V]{What: what, Of: of, done: make(chan struct{}), stop: stop}
	w.all[id] = one
	go func() { // the site ends: so does what is under way
		select {
		case <-ending:
			stop()
		case <-ctx.Done():
		}
	}()
	go func() {
		err := f(ctx)
		stop()
		w.mu.Lock()
		one.err, one.ended = err, true
		w.mu.Unlock()
		close(one.done)
	}()
	return true
}

// Under is the step that is under way, nil where none is.
func (w *Works[V]) Under(id string) *Work[V] {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[id]; one != nil && !one.ended {
		return one
	}
	return nil
}

// Outcome is how the last step ended, until the next one begins or Forget is called.
func (w *Works[V]) Outcome(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[id]; one != nil && one.ended {
		return one.err
	}
	return nil
}

// Fail keeps a refusal for the next screen, as if a step had ended with it.
func (w *Works[V]) Fail(id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[id]; one != nil && !one.ended {
		return // what is under way has its own end
	}
	if w.all == nil {
		w.all = map[string]*Work[V]{}
	}
	w.all[id] = &Work[V]{err: err, ended: true}
}

// Forget forgets how the last step ended. One that is under way goes on.
func (w *Works[V]) Forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[id]; one != nil && one.ended {
		delete(w.all, id)
	}
}

// Stop ends a step that is under way and waits until it has ended, or ctx does.
func (w *Works[V]) Stop(ctx context.Context, id string) {
	if one := w.Under(id); one != nil {
		one.stop()
		select {
		case <-one.done:
		case <-ctx.Done():
		}
	}
	w.Forget(id)
}

// Tell answers with one event, "over", when the step that is under way for id has ended: at
// once where there is none. It ends without a word when the site ends or the person leaves.
func (w *Works[V]) Tell(out http.ResponseWriter, r *http.Request, id string) {
	h := out.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	flow := http.NewResponseController(out)
	_ = flow.SetWriteDeadline(time.Time{}) // as long as it takes
	out.WriteHeader(http.StatusOK)
	_ = flow.Flush()
	if one := w.Under(id); one != nil {
		select {
		case <-one.done:
		case <-doorway.Ending(r.Context()):
			return
		case <-r.Context().Done():
			return
		}
	}
	_, _ = out.Write([]byte("event: over\ndata: .\n\n"))
	_ = flow.Flush()
}
