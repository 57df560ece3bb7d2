package housetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Mishap is what may befall one exchange between a phone and the server.
type Mishap int

// The mishaps.
const (
	NoMishap    Mishap = iota
	RequestLost        // the server never hears of it
	AnswerLost         // it is done, and the phone never hears of it
	Doubled            // it arrives twice; the phone hears the second answer
	Echoed             // it arrives twice; the phone hears the first answer
	CrashBefore        // the server dies and comes back just before it arrives
	CrashAfter         // it is done; then the server dies and comes back, and the answer is lost
	mishapsEnd
)

// Mishaps are all of them.
var Mishaps = []Mishap{RequestLost, AnswerLost, Doubled, Echoed, CrashBefore, CrashAfter}

// String names a mishap.
func (m Mishap) String() string {
	return [mishapsEnd]string{"none", "request lost", "answer lost", "doubled", "echoed", "crash before", "crash after"}[m]
}

// Exchanged is one exchange as it went.
type Exchanged struct {
	Method, Path string
	Handled      bool // the server has done with it
	Status       int  // of the answer that was made first, 0 where none was
}

// Wire carries what phones say to the house's site, and back. It does as it is told to one
// exchange; the zero value carries everything.
type Wire struct {
	house *House
	mu    sync.Mutex
	said  []Exchanged
	plan  Mishap
	at    int    // which exchange from now
	crash func() // throws the server away and makes it anew
	lost  func() // told when the phone is left without an answer, or told to come back later
	hit   bool
}

var errLost = errors.New("housetest: lost on the way")

// Arm has the mishap befall the exchange number at, counted from 0 from now on. lost, where
// not nil, is called when the phone is left without an answer or told to come back later: a
// phone that would wait and ask again may be told to give up.
func (w *Wire) Arm(t TB, m Mishap, at int, lost func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan, w.at, w.hit, w.said = m, at, false, nil
	w.crash, w.lost = func() { w.house.Restart(t) }, lost
}

// Disarm ends it and returns what was said since, and whether the mishap came about.
func (w *Wire) Disarm() (said []Exchanged, hit bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	said, hit = w.said, w.hit
	w.plan, w.said, w.hit, w.lost = NoMishap, nil, false, nil
	return said, hit
}

// next says what befalls the next exchange.
func (w *Wire) next() Mishap {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := NoMishap
	if w.plan != NoMishap && w.at == 0 {
		m, w.hit = w.plan, true
	}
	w.at--
	return m
}

func (w *Wire) note(e Exchanged) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, e)
}

// RoundTrip implements http.RoundTripper.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	m := w.next()
	e := Exchanged{Method: r.Method, Path: r.URL.Path}
	if m == RequestLost {
		w.note(e)
		return nil, w.leave()
	}
	if m == CrashBefore {
		w.crash()
	}
	out := w.carry(r, body)
	e.Handled, e.Status = true, out.StatusCode
	w.note(e)
	switch m {
	case Doubled:
		out = w.carry(r, body)
	case Echoed:
		w.carry(r, body)
	case CrashAfter:
		w.crash()
		return nil, w.leave()
	case AnswerLost:
		return nil, w.leave()
	}
	if out.StatusCode == http.StatusBadGateway || out.StatusCode == http.StatusServiceUnavailable || out.StatusCode == http.StatusGatewayTimeout {
		_ = w.leave() // the phone would wait and ask again; it has its answer all the same
	}
	return out, nil
}

func (w *Wire) leave() error {
	if w.lost != nil {
		w.lost()
	}
	return errLost
}

// carry has the site answer, whatever becomes of who asked.
func (w *Wire) carry(r *http.Request, body []byte) *http.Response {
	in := r.Clone(context.WithoutCancel(r.Context()))
	in.RemoteAddr, in.Host, in.RequestURI = "127.0.0.1:1", r.URL.Host, r.URL.RequestURI()
	in.Body = io.NopCloser(bytes.NewReader(body))
	out := httptest.NewRecorder()
	w.house.Site.ServeHTTP(out, in)
	response := out.Result()
	response.Request = r
	return response
}
