package lineartest_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"warifu"
	"warifu/phone"
)

// line is how one client reaches one server: its handler, without a socket, from an
// address of the client's own. Where it is bad it loses questions before they arrive and answers
// after they were given. It waits for the handler in either case, so that whatever a lost
// call did was done when the call ended: a history need not keep it open for ever.
type line struct {
	site   http.Handler
	from   string
	random *rand.Rand
	bad    float64     // share of calls that are lost, half of them before they arrive
	lost   atomic.Bool // something was lost since it was last asked
}

// unheard is what a client gets in the place of an answer: no problem of the server's,
// and nothing that the phone's app would ask again by itself.
const unheard = "the answer was lost"

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	fate := l.random.Float64()
	out := httptest.NewRecorder()
	if fate >= l.bad/2 {
		in := r.Clone(r.Context())
		in.RemoteAddr, in.Host, in.RequestURI = l.from, r.URL.Host, r.URL.RequestURI()
		if in.Body == nil {
			in.Body = http.NoBody
		}
		l.site.ServeHTTP(out, in)
	}
	if fate < l.bad {
		l.lost.Store(true)
		return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(unheard)), Request: r}, nil
	}
	answer := out.Result()
	answer.Request = r
	return answer, nil
}

// server is a phone's or a card reader's side of the line.
func (l *line) server() (*phone.Server, error) {
	return phone.NewServer(origin, &http.Client{Transport: l})
}

// outcome reads what became of a call: an answer that is the server's own, or lost.
func outcome(err error) answer {
	if err == nil {
		return answer{}
	}
	e := warifu.ProblemOf(err)
	if e.Problem == "server-answer-unreadable" || e.Problem == "server-unreachable" || e.IsCode(warifu.CodeUnavailable) {
		return answer{lost: true}
	}
	return answer{problem: e.Problem}
}

// address is where a client's questions come from: each of its own, since codes are
// counted by source.
func address(r *rand.Rand) string {
	return fmt.Sprintf("10.%d.%d.%d:%d", r.IntN(256), r.IntN(256), 1+r.IntN(254), 1024+r.IntN(60000))
}
