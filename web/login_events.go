package web

import (
	"cmp"
	"io"
	"net/http"
	"time"

	"warifu"
	"warifu/oidc"
)

// writeWithin is how long one write to a stream may take before the browser counts as gone;
// loginAlive is how often it is shown to be there, unless Login.Alive says otherwise.
const (
	writeWithin = 10 * time.Second
	loginAlive  = 15 * time.Second
)

// loginEvents tells the page once that its login was moved, as a server-sent event (WHATWG
// HTML §9.2): its data is where the browser goes on.
func (s *site) loginEvents(w http.ResponseWriter, r *http.Request) {
	id, cookie, err := s.login(r)
	if err == nil {
		_, err = s.Login.Browser.View(r.Context(), id, cookie)
	}
	if err != nil {
		s.refuse(w, r, "login-events", err)
		return
	}
	if !s.waits.enter(id) {
		s.refuse(w, r, "login-events", warifu.TooMany("requests-too-many"))
		return
	}
	defer s.waits.leave(id)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx holds streams back otherwise
	control := http.NewResponseController(w)
	write := func(event string) bool {
		_ = control.SetWriteDeadline(warifu.SystemClock{}.Now().Add(writeWithin)) // not every writer has one
		_, err := io.WriteString(w, event)
		return err == nil && control.Flush() == nil
	}
	moved := s.Login.Browser.Wait(r.Context(), id)
	alive := time.NewTicker(cmp.Or(s.Login.Alive, loginAlive))
	defer alive.Stop()
	for event := "retry: 500\n\n"; write(event); event = ": alive\n\n" {
		select {
		case <-s.Login.Ended:
			return
		case <-r.Context().Done():
			return
		case <-moved:
			moved = nil // once
		case <-alive.C: // it may have run out of time
		}
		v, err := s.Login.Browser.View(r.Context(), id, cookie)
		if err != nil {
			return // the browser comes back by itself
		}
		if v.State != oidc.Waiting {
			write("event: moved\ndata: " + onward(v) + "\n\n")
			return
		}
	}
}

// onward is where the browser goes on: to the relying party, or to the page that tells why not.
func onward(v oidc.View) string {
	if goesOn(v) {
		return "/login/" + v.Login + "/done"
	}
	return "/login/" + v.Login
}
