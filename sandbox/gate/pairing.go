package gate

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"html/template"
	"math/big"
	"net/http"
	"strings"

	"golang.org/x/time/rate"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/text"
)

const (
	cookieName = "warifu-gate"
	pairPath   = "/gate/pair"
	// Header carries the code of clients that keep no cookies.
	Header = "Warifu-Pairing"
	// wrongCodes is how many wrong codes the gate bears before it shuts until the next start.
	wrongCodes = 50
)

// pairing lets in who knows the code.
type pairing struct {
	code  string
	token string // what the cookie carries, in place of the code
	clock warifu.Clock
	slow  *rate.Limiter
	wrong chan struct{} // filled by wrong codes
}

func newPairing(clock warifu.Clock) (*pairing, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return nil, err
	}
	var token [32]byte
	if _, err := rand.Read(token[:]); err != nil {
		return nil, err
	}
	return &pairing{fmt.Sprintf("%08d", n), hex.EncodeToString(token[:]), clock, rate.NewLimiter(1, 5), make(chan struct{}, wrongCodes)}, nil
}

// guard stands before a door.
func (p *pairing) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == pairPath:
			p.pair(w, r)
		case open(r.URL.Path), p.paired(r):
			next.ServeHTTP(w, r)
		default:
			p.ask(w, r, http.StatusUnauthorized)
		}
	})
}

// open are the paths that are the same for everybody.
func open(path string) bool {
	return strings.HasPrefix(path, "/ocsp/") || strings.HasPrefix(path, "/crl/") || strings.HasPrefix(path, "/ca/") || path == "/healthz"
}

func (p *pairing) paired(r *http.Request) bool {
	if c, err := r.Cookie(cookieName); err == nil && same(c.Value, p.token) {
		return true
	}
	typed := r.Header.Get(Header)
	return typed != "" && p.try(typed)
}

// try compares a code, a few a second and not too many wrong ones in all.
func (p *pairing) try(typed string) bool {
	if !p.slow.AllowN(p.clock.Now(), 1) || len(p.wrong) == cap(p.wrong) {
		return false
	}
	if same(typed, p.code) {
		return true
	}
	select {
	case p.wrong <- struct{}{}:
	default:
	}
	return false
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (p *pairing) pair(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<10)
	if r.Method != http.MethodPost || !p.try(strings.TrimSpace(r.PostFormValue("code"))) {
		p.ask(w, r, http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: p.token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

var askPage = template.Must(template.New("ask").Parse(`<!doctype html><html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title><h1>{{.Title}}</h1><p>{{.Next}}</p>
<form method="post" action="` + pairPath + `"><label>{{.Label}} <input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="8" required></label> <button>OK</button></form></html>`))

// ask asks for the code: people by a form, programs by a problem.
func (p *pairing) ask(w http.ResponseWriter, r *http.Request, status int) {
	refusal := warifu.Unauthenticated("gate-code-needed", "header", Header)
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		doorway.Refuse(w, refusal)
		return
	}
	lang := text.Match(r.Header.Get("Accept-Language"))
	title, _, next := text.Problem(refusal, lang)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = askPage.Execute(w, map[string]string{"Lang": string(lang), "Title": title, "Next": next, "Label": text.Sentence("gate.code", lang, nil)})
}
