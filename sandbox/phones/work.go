package phones

import (
	"context"
	"sync"
	"time"

	"warifu/iso7816"
)

// Bounds of what a phone does behind a screen.
const (
	workLimit = 2 * time.Minute
	// atOnce is for how long a form waits for its work before a screen with progress is shown.
	atOnce = 80 * time.Millisecond
)

// hand is what a phone's screens remember between two requests: in memory alone, one
// application and one piece of work a phone.
type hand struct {
	mu   sync.Mutex
	walk *walk
	work *work
	// unlocking is a password of the phone that is being set anew with the card.
	unlocking *unlocking
	// registration is how the last registration went, until the holder has seen it.
	registration *registered
	// problem is why the work behind マイページ or the start screen failed, said the key of a
	// sentence about what it did; each is told once.
	problem error
	said    string
}

// told returns what is to be told about the work that ended last, which is then forgotten.
func (h *hand) told() (said string, problem error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	problem, said = h.problem, h.said
	h.problem, h.said = nil, ""
	return said, problem
}

// work is something that a phone does while its screen shows how far it is.
type work struct {
	over chan struct{} // closed when it has ended

	mu   sync.Mutex
	last event
}

// tell says how far the work is.
type tell func(key string, done, all int, params ...string)

// lock takes the hand and returns what lets go of it.
func (h *hand) lock() (unlock func()) {
	h.mu.Lock()
	return h.mu.Unlock
}

func (h *hand) busy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.work != nil
}

// progress is how far the phone's work is; false when it does nothing.
func (h *hand) progress() (event, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.work == nil {
		return event{}, false
	}
	h.work.mu.Lock()
	defer h.work.mu.Unlock()
	return h.work.last, true
}

// begin has the phone do f, and afterwards end with what came of it, while the hand is held.
// It returns when that is done or the person should be shown progress. A second form sent
// meanwhile begins nothing.
func (o *owned) begin(f func(context.Context, tell) error, end func(error)) {
	o.hand.mu.Lock()
	if o.hand.work != nil {
		o.hand.mu.Unlock()
		return
	}
	w := &work{over: make(chan struct{}), last: event{Name: "progress", Key: "app.progress.begins"}}
	o.hand.work = w
	o.hand.mu.Unlock()
	go func() {
		ctx, stop := context.WithTimeout(context.Background(), workLimit)
		defer stop()
		err := f(ctx, o.teller(w))
		o.hand.mu.Lock()
		end(err)
		o.hand.work = nil
		o.hand.mu.Unlock()
		close(w.over)
		o.hub.publish(event{Name: "moved"})
	}()
	timer := time.NewTimer(atOnce)
	defer timer.Stop()
	select {
	case <-w.over:
	case <-timer.C:
	}
}

func (o *owned) teller(w *work) tell {
	return func(key string, done, all int, params ...string) {
		e := event{Name: "progress", Key: key, Done: done, All: all}
		for i := 0; i+1 < len(params); i += 2 {
			if e.Params == nil {
				e.Params = map[string]string{}
			}
			e.Params[params[i]] = params[i+1]
		}
		w.mu.Lock()
		w.last = e
		w.mu.Unlock()
		o.hub.publish(e)
	}
}

// watched is a chip whose commands somebody is told of before they are sent. It is for who
// holds the chip, like the chip itself.
type watched struct {
	iso7816.Transmitter
	told func(command []byte) error // an error keeps the command from the chip; nil: nobody is told
}

// Transmit implements iso7816.Transmitter.
func (w *watched) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if w.told != nil {
		if err := w.told(command); err != nil {
			return nil, err
		}
	}
	return w.Transmitter.Transmit(ctx, command)
}
