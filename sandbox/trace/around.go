package trace

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"time"

	"warifu"
)

// maxSegment is how much of one segment of a path is shown where it is longer than a word:
// it may be worth something to who has it (a login's link), or be a question in base64.
const (
	maxSegment = 22
	shownOfIt  = 6
)

// Masked is a path as the trace keeps it.
func Masked(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if len(p) > maxSegment || strings.ContainsAny(p, "%=+@") {
			parts[i] = strings.ToValidUTF8(p[:min(len(p), shownOfIt)], "") + "…"
		}
	}
	return strings.Join(parts, "/")
}

// Begins has every request that reaches a place begin a step: what it brings about is
// grouped under it.
func (r *Ring) Begins(place string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if unseen(request) {
			next.ServeHTTP(w, request)
			return
		}
		s := Step{Place: place, Method: request.Method, Path: Masked(request.URL.Path)}
		s.Means, s.Subject = StepMeaning(place, s.Method, s.Path)
		ctx, end := r.begin(request.Context(), s)
		defer end()
		next.ServeHTTP(w, request.WithContext(ctx))
	})
}

// unseen are requests of which nothing follows: files, streams that last, and the trace.
func unseen(r *http.Request) bool {
	p := r.URL.Path
	return strings.HasPrefix(p, "/assets/") || strings.HasPrefix(p, "/bureau/") || p == "/api/trace" || p == "/trace" || p == "/api/notices" ||
		strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// quiet are the server's doors that tell nothing of a step.
var quiet = regexp.MustCompile(`^/(assets/|healthz|readyz|metrics|favicon)|/events$|^/api/v1/notices/`)

// Around notes every request that reaches a server, and how it ended.
func (r *Ring) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if quiet.MatchString(request.URL.Path) || strings.Contains(request.Header.Get("Accept"), "text/event-stream") {
			next.ServeHTTP(w, request)
			return
		}
		begun := warifu.SystemClock{}.Now()
		seen := &listener{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			e := Entry{
				Kind: HTTP, Place: "server", Method: request.Method, Path: Masked(request.URL.Path), Status: seen.status, Slug: seen.slug(),
				Micros: warifu.SystemClock{}.Now().Sub(begun).Microseconds(),
			}
			e.Means = DoorMeaning(e.Method, e.Path)
			r.add(request.Context(), request.Header.Get(named), aloneOf(request, e), e)
		}()
		next.ServeHTTP(seen, request)
	})
}

// aloneOf is the step of a page that a browser opened at the server; nil where the request
// came of another step.
func aloneOf(r *http.Request, e Entry) *Step {
	if r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return nil
	}
	return &Step{Place: e.Place, Method: e.Method, Path: e.Path, Means: e.Means}
}

// listener hears a response's status, and the slug of a problem.
type listener struct {
	http.ResponseWriter
	status int
	head   []byte // of a problem
}

// WriteHeader implements http.ResponseWriter.
func (l *listener) WriteHeader(status int) {
	l.status = status
	l.ResponseWriter.WriteHeader(status)
}

const maxHead = 512

// Write implements http.ResponseWriter.
func (l *listener) Write(b []byte) (int, error) {
	if l.status >= 400 && len(l.head) < maxHead && strings.HasPrefix(l.Header().Get("Content-Type"), "application/problem+json") {
		l.head = append(l.head, b[:min(len(b), maxHead-len(l.head))]...)
	}
	return l.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is beneath.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// Flush implements http.Flusher.
func (l *listener) Flush() { _ = http.NewResponseController(l.ResponseWriter).Flush() }

var slugIn = regexp.MustCompile(`"type" *: *"[^"]*[:/]([a-z0-9-]+)"`)

func (l *listener) slug() string {
	if found := slugIn.FindSubmatch(bytes.ToLower(l.head)); found != nil {
		return string(found[1])
	}
	return ""
}

// patience is how long an app waits for one answer, as without a trace.
const patience = 15 * time.Second

// Client is an HTTP client as an app has it, without redirects, whose requests name the step
// they are of.
func (r *Ring) Client() *http.Client {
	return &http.Client{
		Timeout: patience, Transport: naming{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type naming struct{ to http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (n naming) RoundTrip(r *http.Request) (*http.Response, error) {
	if name := stepOf(r.Context()); name != "" {
		r = r.Clone(r.Context())
		r.Header.Set(named, name)
	}
	return n.to.RoundTrip(r)
}
