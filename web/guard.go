package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"warifu"
	"warifu/face"
	"warifu/text"
)

// Limits of one source address. They are wide: what guards secrets and codes has
// narrower ones of its own.
const (
	perSource      = 200 // requests a second
	perSourceBurst = 400
	maxSources     = 100_000
	maxRequest     = 1 << 20 // octets of any request body
)

// limits counts requests by source address, in bounded memory.
type limits struct {
	clock warifu.Clock
	mu    sync.Mutex
	by    map[string]*rate.Limiter
}

func newLimits(c warifu.Clock) *limits { return &limits{clock: c, by: map[string]*rate.Limiter{}} }

func (l *limits) allow(source string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.by[source]
	if !ok {
		if len(l.by) >= maxSources {
			clear(l.by) // forget all rather than grow; nobody is locked out by it
		}
		one = rate.NewLimiter(perSource, perSourceBurst)
		l.by[source] = one
	}
	return one.AllowN(l.clock.Now(), 1)
}

// guard stands before every route: allowed hosts only (against DNS rebinding),
// bounded bodies, a language, the security headers, and no panic that ends the server.
func (s *site) guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	if s.Login != nil {
		crossOrigin.AddInsecureBypassPattern("POST " + authorizationPath)
	}
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, warifu.Refused("request-cross-origin"))
	}))
	next = crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := s.Clock.Now()
		r = s.fromClient(r)
		lang := face.Lang(r)
		r = r.WithContext(context.WithValue(r.Context(), languageKey{}, lang))
		if anonymous(r.URL.Path) {
			w.Header().Set("X-Content-Type-Options", "nosniff") // the same octets for everybody: caches need no more
		} else {
			header(w.Header(), lang)
			face.Remember(w, r)
		}
		defer s.recovered(w, r)
		switch {
		case !s.hostAllowed(r.Host) && !anonymous(r.URL.Path):
			writeProblem(w, r, warifu.Refused("host-unknown"))
		case !loopback(r.RemoteAddr) && !anonymous(r.URL.Path) && !s.limits.allow(sourceOf(r)):
			writeProblem(w, r, warifu.TooMany("requests-too-many"))
		default:
			limit := int64(maxRequest)
			if more, allowed := s.verificationLimit(r); allowed {
				limit = more
			} else if s.loginAnswers(r) {
				limit = maxLoginAnswer
			} else if s.signingLimit(r) {
				limit = maxSignWish
			}
			r.Body = http.MaxBytesReader(w, r.Body, limit)
			next.ServeHTTP(w, r)
		}
		s.Log.DebugContext(r.Context(), "request", "method", r.Method, "route", routeOf(r), "ms", s.Clock.Now().Sub(started).Milliseconds())
	})
}

// policyWithForms is the content security policy of every page, with where its forms may lead.
func policyWithForms(to string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action " + to + "; frame-ancestors 'none'; base-uri 'none'"
}

func header(h http.Header, lang text.Lang) {
	h.Set("Content-Security-Policy", policyWithForms("'self'"))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // for the language of an answer that is not kept (face.SwitchesOf)
	h.Set("Cache-Control", "no-store")      // unless whoever answers knows better
	h.Set("Content-Language", string(lang))
	h.Add("Vary", "Accept-Language")
}

// recovered turns a panic into an answer and a log line without the request's values.
func (s *site) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	s.Log.ErrorContext(r.Context(), "panic", "route", routeOf(r), "stack", string(debug.Stack()))
	writeProblem(w, r, &warifu.Error{Code: warifu.CodeInternal, Problem: "internal"})
}

// anonymous are the paths of status and authorities: the same for everybody, read by
// clients of HTTP/1.0 that send no Host at all (OpenSSL's among them), so that a
// wrong name costs nothing; and through caches that ask for many, so that no source is
// held to a rate.
func anonymous(path string) bool {
	return strings.HasPrefix(path, "/ocsp/") || strings.HasPrefix(path, "/crl/") || strings.HasPrefix(path, "/offline/") || strings.HasPrefix(path, "/ca/")
}

func (s *site) hostAllowed(host string) bool {
	if slices.Contains(s.Hosts, host) {
		return true
	}
	name, _, err := net.SplitHostPort(host)
	return err == nil && slices.Contains(s.Hosts, name)
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sourceOf names who asks. An IPv6 network of 64 bits is one line, and one source: who has
// one has all its addresses.
func sourceOf(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := from.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// routeOf names a request in logs by its pattern, never by its address: an
// address may carry an identifier.
func routeOf(r *http.Request) string {
	if r.Pattern != "" {
		return r.Pattern
	}
	if p, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); ok && anonymous(r.URL.Path) {
		return "/" + p + "/…"
	}
	return "other"
}
