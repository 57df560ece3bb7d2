package crashtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"warifu/phone"
)

// gate keeps the phones from knocking while no server stands there.
type gate struct {
	mu     sync.Mutex
	passed chan struct{} // closed while the gate is open
	isOpen bool
}

func newGate() *gate { return &gate{passed: make(chan struct{})} }

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isOpen {
		close(g.passed)
		g.isOpen = true
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isOpen {
		g.passed, g.isOpen = make(chan struct{}), false
	}
}

func (g *gate) way() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.passed
}

// errand is what a request is for.
type errand string

const (
	toChallenge errand = "challenge"
	toSubmit    errand = "submit"
	toAsk       errand = "ask"
	toOpen      errand = "open a session"
	toExchange  errand = "exchange"
	toWithdraw  errand = "withdraw"
)

func errandOf(r *http.Request) errand {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	switch {
	case path == "/challenges":
		return toChallenge
	case path == "/applications":
		return toSubmit
	case strings.HasPrefix(path, "/sessions/"):
		return toExchange
	case strings.HasSuffix(path, "/sessions"):
		return toOpen
	case strings.HasSuffix(path, "/withdrawal"):
		return toWithdraw
	}
	return toAsk
}

// line is what lies between a phone and the server: it passes the gate, tells watchers
// of every request that sets out, and remembers every 202 that came back.
type line struct {
	town  *town
	inner *http.Transport

	mu      sync.Mutex
	watcher func(errand)
	sent    int      // exchanges so far
	refused []string // 503s: the problem's slug
	faults  []string // 5xx that is not a 503, or not a problem
}

func newLine(tn *town) *line {
	return &line{town: tn, inner: &http.Transport{MaxIdleConnsPerHost: 64}}
}

// watch has f told of every request; nil ends it.
func (l *line) watch(f func(errand)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watcher = f
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-l.town.gate.way():
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	what := errandOf(r)
	l.mu.Lock()
	watcher := l.watcher
	l.mu.Unlock()
	if watcher != nil {
		watcher(what)
	}
	response, err := l.inner.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	l.note(what, response, body)
	if what == toExchange && l.torn() {
		return nil, errTorn
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

var errTorn = errors.New("the connection was lost before the answer arrived")

// torn loses the answer to one exchange in eleven: a phone's connection may go at any
// moment, too, and the server knows nothing of it.
func (l *line) torn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	return l.sent%11 == 0
}

func (l *line) note(what errand, response *http.Response, body []byte) {
	if response.StatusCode == http.StatusAccepted && what == toSubmit {
		var a phone.Application
		if json.Unmarshal(body, &a) == nil && a.ID != "" {
			l.town.accept(a.ID)
		}
		return
	}
	if response.StatusCode < 500 {
		return
	}
	var problem struct {
		Type, Title, Next, TitleJa, NextJa string
	}
	slug, ours := "", false
	if json.Unmarshal(body, &problem) == nil {
		slug, ours = strings.CutPrefix(problem.Type, "urn:warifu:problem:")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	whole := ours && problem.Title != "" && problem.Next != "" && problem.TitleJa != "" && problem.NextJa != ""
	if response.StatusCode != http.StatusServiceUnavailable || !whole {
		l.faults = append(l.faults, string(what)+": "+response.Status+" "+string(body))
		return
	}
	l.refused = append(l.refused, slug)
}

// refusals returns the slugs of the 503s so far and forgets them.
func (l *line) refusals() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.refused
	l.refused = nil
	return out
}

func (tn *town) accept(id string) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.accepted[id] = true
}

// saw remembers a certificate that left the server.
func (tn *town) saw(der []byte) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.left[string(der)] = true
}
