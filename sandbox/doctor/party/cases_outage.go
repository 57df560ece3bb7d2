package party

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"warifu/sandbox/doctor"
)

const (
	// flood is how much an endless answer sends, and floodTaken from where on somebody has
	// read without a bound (the sockets between keep a few megabytes).
	flood      = 48 << 20
	floodTaken = 40 << 20
)

// clearPage asks for a page that people understand, whatever the provider does.
const clearPage = "RFC 6749 §5.2; docs/doctor.md"

// outageCases have the provider slow, down, or talking nonsense.
func (x *Examination) outageCases() []doctor.Case {
	outage := func(id string, level doctor.Level, clause string, run func(context.Context) doctor.Finding) doctor.Case {
		return x.guarded(themeOutage, id, level, clause, run)
	}
	return []doctor.Case{
		outage("refusal-status", doctor.Should, "RFC 9110 §15.5, §15.6", func(ctx context.Context) doctor.Finding {
			v := x.attempt(ctx, act{claims: func(_ *login, c map[string]any) {
				c["iss"], c["aud"], c["exp"] = "https://issuer.doctor.invalid", "another-client", 1
			}})
			if f := x.refused(v, askedToken); f.Outcome != doctor.Pass {
				return f
			}
			return civil(v)
		}),
		outage("token-refused", doctor.Must, clearPage, x.without(pathToken, func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusBadRequest, "invalid_grant")
		})),
		outage("token-down", doctor.Must, clearPage, x.without(pathToken, hangUp)),
		outage("token-html", doctor.Must, "RFC 6749 §5.1", x.without(pathToken, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte("<!doctype html><title>proxy</title><p>502</p>"))
		})),
		outage("token-slow", doctor.Must, clearPage, x.without(pathToken, hang)),
		outage("token-huge", doctor.Should, "CWE-770", x.bounded(pathToken)),
		outage("token-redirected", doctor.Should, "RFC 6749 §10.5; RFC 9110 §15.4.8", x.tokenRedirected),
		outage("keys-down", doctor.Must, clearPage, x.keysDown),
	}
}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// hang answers nothing until the other side gives up.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// without is a login during which a path is answered so: nobody is logged in, and the
// person gets a page in time that shows nothing of the program's inside.
func (x *Examination) without(path string, serve http.HandlerFunc) func(context.Context) doctor.Finding {
	return func(ctx context.Context) doctor.Finding {
		before := x.provider.count(path)
		v := x.attempt(ctx, x.serving(path, serve))
		if f := x.answers(v); f.Outcome != doctor.Pass {
			return f
		}
		return x.refused(v, func(x *Examination, _ visit) bool { return x.provider.count(path) > before })
	}
}

// answers wants a page in time, with no trace of the program's inside.
func (x *Examination) answers(v visit) doctor.Finding {
	switch {
	case v.login == nil:
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(v.pages)))
	case v.err != nil:
		return doctor.Found(doctor.Seen("no-page", "what", v.err.Error(), "seconds", strconv.FormatFloat(x.config.Patience.Seconds(), 'f', -1, 64)))
	}
	return traceless(v.back)
}

// traces are what programs print of their inside when they break.
var traces = []*regexp.Regexp{
	regexp.MustCompile(`goroutine \d+ \[`), regexp.MustCompile(`\.go:\d+ \+0x`), regexp.MustCompile(`Traceback \(most recent call last\)`),
	regexp.MustCompile(`(?m)^\s*at [\w.$<>\[\] /]+ ?\(.*:\d+(?::\d+)?\)`), regexp.MustCompile(`node_modules/`), regexp.MustCompile(`(?m)^\s*at [\w.$]+\([\w$]+\.(?:java|kt|scala):\d+\)`),
	regexp.MustCompile(`Stack trace:\s*#0`), regexp.MustCompile(`\.rb:\d+:in `), regexp.MustCompile(`(?m)^\s+at .+ in .+\.cs:line \d+`), regexp.MustCompile(`PHP (?:Fatal|Warning)`),
}

func traceless(pages []page) doctor.Finding {
	for _, p := range pages {
		for _, t := range traces {
			if m := t.FindString(p.body); m != "" {
				return doctor.Found(doctor.Seen("trace", "what", strings.TrimSpace(m), "path", p.url.Path))
			}
		}
	}
	return doctor.Passed()
}

// bounded sends an answer without end, and looks how much of it is taken.
func (x *Examination) bounded(path string) func(context.Context) doctor.Finding {
	return func(ctx context.Context) doctor.Finding {
		asked, taken := make(chan struct{}, 8), make(chan int, 8)
		v := x.attempt(ctx, x.serving(path, func(w http.ResponseWriter, r *http.Request) {
			n := 0
			asked <- struct{}{}
			defer func() { taken <- n }()
			w.Header().Set("Content-Type", "application/json")
			more := []byte(strings.Repeat("a", 1<<16))
			_, _ = w.Write([]byte(`{"doctor":"`))
			for n < flood && r.Context().Err() == nil {
				wrote, err := w.Write(more)
				n += wrote
				if err != nil {
					return
				}
			}
		}))
		select {
		case <-asked:
		default:
			return doctor.Unsure(doctor.Seen("not-far", "status", statusOf(v.back)))
		}
		select {
		case n := <-taken: // it has hung up, or taken all
			if n >= floodTaken {
				return doctor.Found(doctor.Seen("took", "octets", strconv.Itoa(n)))
			}
		case <-ctx.Done():
			return doctor.Unsure(doctor.Seen("stopped"))
		case <-time.After(x.config.Patience.Duration): // it keeps the line and takes no more
		}
		return x.answers(v)
	}
}

// tokenRedirected sends the relying party elsewhere with its code: it must not go.
func (x *Examination) tokenRedirected(ctx context.Context) doctor.Finding {
	const path = "/doctor/elsewhere"
	got := make(chan string, 8)
	a := act{serve: func(w http.ResponseWriter, r *http.Request, at string) bool {
		switch at {
		case pathToken:
			w.Header().Set("Location", x.config.Issuer+path)
			w.WriteHeader(http.StatusTemporaryRedirect)
		case path:
			got <- r.FormValue("code")
			refuse(w, http.StatusBadRequest, "invalid_grant")
		}
		return at == pathToken || at == path
	}}
	before := x.provider.count(pathToken)
	v := x.attempt(ctx, a)
	select {
	case <-got:
		return doctor.Found(doctor.Seen("fetched", "address", x.config.Issuer+path))
	default:
		return x.refused(v, func(x *Examination, _ visit) bool { return x.provider.count(pathToken) > before })
	}
}

// keysDown has a token under a name not known yet while the key set cannot be had.
func (x *Examination) keysDown(ctx context.Context) doctor.Finding {
	fresh := newKey(x.config.Client.Algorithm)
	a := x.signedBy(fresh, nil)
	a.serve = x.serving(pathKeys, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }).serve
	v := x.attempt(ctx, a)
	if f := x.answers(v); f.Outcome != doctor.Pass {
		return f
	}
	return x.refused(v, askedToken)
}
