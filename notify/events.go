package notify

import (
	"fmt"
	"net/http"
	"time"

	"warifu"
)

// writeWithin is how long one write to a stream may take before the phone counts as gone.
const writeWithin = 10 * time.Second

// retryAfter is what the phone is told to wait before it opens the stream again.
const retryAfter = 3 * time.Second

// serveEvents answers GET …/{element}/events with server-sent events (WHATWG HTML §9.2).
// The stream joins before what waits is looked up, and before the phone is answered, so
// that no notice falls between. What waits is looked up again with every sign of life: a
// notice that was made in another process of the same service arrives then.
func (h *Hub) serveEvents(w http.ResponseWriter, r *http.Request, element warifu.ElementID) error {
	s, err := h.join(element, h.config.Source(r))
	if err != nil {
		return err
	}
	defer h.leave(element, s)
	t := telling{w: w, control: http.NewResponseController(w), told: map[string]bool{}}
	waiting, err := h.config.Waiting.Waiting(r.Context(), element)
	if err != nil {
		return err
	}
	t.begin(r.Header.Get("Last-Event-ID"), waiting)
	alive := time.NewTicker(h.config.KeepAlive)
	defer alive.Stop()
	for t.err == nil {
		select {
		case <-r.Context().Done():
			return nil
		case <-s.end:
			return nil
		case n := <-s.notices:
			t.again(n.application)
		case <-alive.C:
			t.write(": alive\n\n")
			if waiting, err := h.config.Waiting.Waiting(r.Context(), element); err == nil {
				t.all(waiting)
			}
		}
	}
	return nil // the phone is gone; it is told again when it comes back
}

// telling writes one stream.
type telling struct {
	w       http.ResponseWriter
	control *http.ResponseController
	told    map[string]bool // on this stream
	err     error           // of the last write
}

// begin sends the head and what waits. A phone that comes back with the identifier it
// heard last is not told that one, nor those before it, again.
func (t *telling) begin(last string, waiting []string) {
	head := t.w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Accel-Buffering", "no") // nginx holds streams back otherwise
	t.w.WriteHeader(http.StatusOK)
	for i, id := range waiting {
		if id == last {
			for _, heard := range waiting[:i+1] {
				t.told[heard] = true
			}
		}
	}
	t.write(fmt.Sprintf("retry: %d\n\n", retryAfter.Milliseconds()))
	t.all(waiting)
}

func (t *telling) all(waiting []string) {
	for _, id := range waiting {
		if n, err := Of(id); err == nil {
			t.tell(n.application)
		}
	}
}

// again sends a notice that was made just now, whatever was told before: an application has
// more than one thing to look for, the newer phone about to take over among them.
func (t *telling) again(application string) {
	delete(t.told, application)
	t.tell(application)
}

// tell sends what waits, once a stream.
func (t *telling) tell(application string) {
	if !t.told[application] {
		t.told[application] = true
		t.write("id: " + application + "\ndata: " + application + "\n\n")
	}
}

// write sends octets at once. The deadline is of the machine's own time, as sockets know no other.
func (t *telling) write(s string) {
	if t.err != nil {
		return
	}
	_ = t.control.SetWriteDeadline(warifu.SystemClock{}.Now().Add(writeWithin)) // not every writer has one
	if _, t.err = t.w.Write([]byte(s)); t.err == nil {
		t.err = t.control.Flush()
	}
}
