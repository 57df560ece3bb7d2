package fault

import (
	"context"
	"net/http"
	"strings"

	"warifu"
	"warifu/ocsp"
	"warifu/sandbox/doorway"
)

// Around implements server.Faults: it stands before a site and does what a fault wants
// instead of the site, or before it.
func (b *Board) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := ParseHeader(r.Header.Get(Header))
		if err != nil {
			doorway.Refuse(w, err)
			return
		}
		if len(asked) > 0 {
			r = r.WithContext(context.WithValue(r.Context(), askedKey{}, asked))
		}
		for _, one := range effects {
			if !one.touches(r.URL.Path) {
				continue
			}
			s, on := b.strike(asked, one.name)
			if on && one.do(b, w, r, s) {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// effect is what a fault does to a request; do says whether the request is done with.
type effect struct {
	name    Name
	touches func(path string) bool
	do      func(*Board, http.ResponseWriter, *http.Request, Setting) bool
}

func below(prefixes ...string) func(string) bool {
	return func(path string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(path, p) {
				return true
			}
		}
		return false
	}
}

var (
	atOCSP     = below("/ocsp/")
	atProvider = below("/api/realms/", "/.well-known/openid-configuration", "/api/sign-transactions")
	// atApp is what the app on a phone asks of the server.
	atApp = below("/api/v1/challenges", "/api/v1/applications", "/api/v1/sessions", "/api/v1/elements", "/api/v1/orders", "/api/v1/suspensions", "/api/v1/clean-proofs", "/api/v1/notices", "/api/v1/logins")
)

var effects = []effect{
	{OCSPSilent, atOCSP, func(_ *Board, _ http.ResponseWriter, r *http.Request, s Setting) bool {
		wait(r.Context(), s.Length)
		panic(http.ErrAbortHandler) // the connection ends without a word
	}},
	{OCSPLater, atOCSP, func(_ *Board, w http.ResponseWriter, _ *http.Request, _ Setting) bool {
		w.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = w.Write(ocsp.ErrorResponse(ocsp.TryLater))
		return true
	}},
	{OCSPStranger, atOCSP, (*Board).answerAsStranger},
	{CRLDown, below("/crl/"), down},
	{AuthorityWrong, below("/ca/"), (*Board).showStranger},
	{ProviderDown, atProvider, down},
	{ProviderSlow, atProvider, slow},
	{AppSlow, atApp, slow},
	{AppOffline, atApp, func(*Board, http.ResponseWriter, *http.Request, Setting) bool { panic(http.ErrAbortHandler) }},
	{AppBusy, atApp, func(_ *Board, w http.ResponseWriter, _ *http.Request, _ Setting) bool {
		w.Header().Set("Retry-After", "30")
		doorway.Refuse(w, warifu.TooMany("requests-too-many"))
		return true
	}},
	{VerificationDown, below("/api/v1/verifications"), down},
}

// slow waits for the fault's length, or until the fault is switched off.
func slow(b *Board, _ http.ResponseWriter, r *http.Request, s Setting) bool {
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	go func() {
		select {
		case <-b.turnedOff():
			stop()
		case <-ctx.Done():
		}
	}()
	wait(ctx, s.Length)
	return false
}

func down(_ *Board, w http.ResponseWriter, _ *http.Request, s Setting) bool {
	w.Header().Set("Retry-After", "30")
	doorway.Refuse(w, warifu.Unavailable("fault-wanted", "fault", string(s.Name)))
	return true
}
