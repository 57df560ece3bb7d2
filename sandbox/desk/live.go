package desk

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
)

// How often a page that watches is looked at, where nothing passed in the world meanwhile,
// and how long one write to it may take.
const (
	watchEvery  = 2 * time.Second
	writeWithin = 10 * time.Second
)

// live tells a page, as server-sent events (WHATWG HTML §9.2), whenever what it shows of the
// person has changed: the page then fetches itself. It ends when the browser goes or the
// world stops.
func (d *Desk) live(w http.ResponseWriter, r *http.Request) {
	id := d.me(r)
	if asked := r.URL.Query().Get("person"); asked != "" {
		id = asked
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	write := func(event string) bool {
		_ = control.SetWriteDeadline(warifu.SystemClock{}.Now().Add(writeWithin))
		_, err := io.WriteString(w, event)
		return err == nil && control.Flush() == nil
	}
	if !write("retry: 1000\n\n") {
		return
	}
	before := d.fingerprint(r, id)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		news := d.config.Trace.News()
		select {
		case <-doorway.Ending(r.Context()):
			return
		case <-r.Context().Done():
			return
		case <-news:
		case <-tick.C:
		}
		now := d.fingerprint(r, id)
		event := ": alive\n\n"
		if now != before {
			before, event = now, "event: changed\ndata: "+id+"\n\n"
		}
		if !write(event) {
			return
		}
	}
}

// fingerprint is what a watching page shows, told apart from what it showed before.
func (d *Desk) fingerprint(r *http.Request, id string) string {
	walk, err := d.walk(r.Context(), id)
	if err != nil {
		return ""
	}
	s, err := d.config.Standing(r.Context(), id)
	if err != nil {
		return ""
	}
	states := ""
	for _, c := range s.Credentials {
		states += c.State + " "
	}
	for _, a := range s.Applications {
		states += a.State + " "
	}
	last := int64(0)
	if r.URL.Query().Get("trace") != "" {
		for _, step := range d.config.Trace.Steps(0) {
			last = max(last, step.Number*10_000+int64(len(step.Entries)))
		}
	}
	return fmt.Sprint(walk.Done, walk.Left, walk.Here().Held, states, len(s.Checked), last, d.config.Scheme.Hours.Open(d.now()))
}
