package party_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"warifu"
)

// own is a relying party that checks everything there is to check, and, where fault names
// a case of the doctor, leaves out what that case looks for: one switch, one twin.
type own struct {
	*httptest.Server
	fault  string
	issuer string
	class  string
	key    *ecdsa.PrivateKey
	http   *http.Client
	clock  warifu.Clock

	mu       sync.Mutex
	known    *discovered
	keys     map[string][]jose.JSONWebKey
	pending  map[string]*pending // by state
	sessions map[string]*session
	spare    *pending // what a faulty twin goes on with
	latest   *session
	counter  int
	used     map[string]bool // nonces of logins that ended well
}

type discovered struct {
	Issuer   string `json:"issuer"`
	Auth     string `json:"authorization_endpoint"`
	Token    string `json:"token_endpoint"`
	UserInfo string `json:"userinfo_endpoint"`
	Keys     string `json:"jwks_uri"`
	Push     string `json:"pushed_authorization_request_endpoint"`
}

type pending struct {
	browser, state, nonce, verifier, returnTo string
}

type session struct{ subject, name, access string }

const clientID = "doctor-own"

func newOwn(t testing.TB, issuer, fault string) *own {
	t.Helper()
	p := &own{}
	p.Server = httptest.NewServer(p.handler(issuer, fault))
	t.Cleanup(p.Close)
	return p
}

// handler makes the relying party itself.
func (p *own) handler(issuer, fault string) http.Handler {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	p.fault, p.issuer, p.class, p.key, p.clock = fault, issuer, "phone", key, warifu.SystemClock{}
	p.keys, p.pending = map[string][]jose.JSONWebKey{}, map[string]*pending{}
	p.sessions, p.used = map[string]*session{}, map[string]bool{}
	p.http = &http.Client{Timeout: 3 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if p.has("token-redirected") {
		p.http.CheckRedirect = nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", p.begin)
	mux.HandleFunc("/callback", p.callback)
	mux.HandleFunc("/me", p.me)
	mux.HandleFunc("/logout", p.logout)
	mux.HandleFunc("/jwks.json", p.jwks)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "welcome") })
	return mux
}

func (p *own) has(fault string) bool { return p.fault == fault }

func (p *own) redirectURI() string { return p.URL + "/callback" }

func token(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (p *own) cookie(w http.ResponseWriter, name, value string) {
	w.Header().Add("Set-Cookie", (&http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: !p.has("cookie-flags"), SameSite: http.SameSiteLaxMode}).String())
}

// discover reads the provider's document once.
func (p *own) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	var d discovered
	if err := p.read(ctx, p.issuer+"/.well-known/openid-configuration", "", &d); err != nil {
		return nil, err
	}
	if d.Issuer != p.issuer && !p.has("discovery-issuer") {
		return nil, errors.New("another issuer")
	}
	p.known = &d
	return &d, nil
}

// read fetches JSON.
func (p *own) read(ctx context.Context, address, bearer string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return p.do(r, v)
}

func (p *own) do(r *http.Request, v any) error {
	client := *p.http
	if slow, ok := strings.CutSuffix(p.fault, "-slow"); ok && path.Base(r.URL.Path) == slow {
		client.Timeout = 0
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	limit := int64(1 << 20)
	if huge, ok := strings.CutSuffix(p.fault, "-huge"); ok && path.Base(r.URL.Path) == huge {
		limit = 1 << 40
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit))
	if err != nil {
		return err
	}
	what := path.Base(r.URL.Path)
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %d", what, answer.StatusCode)
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		return fmt.Errorf("%s html", what)
	}
	return json.Unmarshal(body, v)
}

func (p *own) begin(w http.ResponseWriter, r *http.Request) {
	d, err := p.discover(r.Context())
	if err != nil {
		p.failed(w, err)
		return
	}
	browser := p.browser(r)
	if browser == "" || !p.has("session-fixed") {
		browser = token(16)
		if c, err := r.Cookie("pre"); err == nil {
			browser = c.Value
		}
		p.cookie(w, "pre", browser)
	}
	n := &pending{browser: browser, state: token(24), nonce: token(24), verifier: token(32), returnTo: r.URL.Query().Get("return_to")}
	p.mu.Lock()
	p.counter++
	p.weaken(n)
	if p.has("two-tabs") {
		maps.DeleteFunc(p.pending, func(_ string, other *pending) bool { return other.browser == browser })
	}
	p.pending[n.state], p.spare = n, n
	p.mu.Unlock()
	q, err := p.request(r.Context(), d, n)
	if err != nil {
		p.fail(w, err)
		return
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, d.Auth+"?"+q.Encode(), http.StatusSeeOther)
}

// weaken makes the values of a login what a faulty twin would.
func (p *own) weaken(n *pending) {
	switch p.fault {
	case "state-unguessable":
		n.state = fmt.Sprint(1000 + p.counter)
	case "nonce-fresh":
		n.nonce = "always-the-same-nonce-of-this-client"
	case "pkce-fresh":
		n.verifier = strings.Repeat("v", 43)
	case "pkce-verifier-form":
		n.verifier = token(9)
	}
}

func (p *own) request(ctx context.Context, d *discovered, n *pending) (url.Values, error) {
	challenge := sha256.Sum256([]byte(n.verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {p.redirectURI()}, "scope": {"openid name"},
		"state": {n.state}, "nonce": {n.nonce}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
		"acr_values": {"aal3"}, "max_age": {"300"}}
	switch p.fault {
	case "response-type-code":
		q.Set("response_type", "code id_token")
	case "scope-openid":
		q.Set("scope", "name")
	case "redirect-uri-exact":
		q.Set("redirect_uri", p.redirectURI()+"/")
	case "client-id-right":
		q.Set("client_id", "another")
	case "state-sent":
		q.Del("state")
	case "nonce-sent":
		q.Del("nonce")
	case "pkce-sent":
		q.Del("code_challenge")
		q.Del("code_challenge_method")
	case "pkce-s256":
		q.Set("code_challenge", n.verifier)
		q.Set("code_challenge_method", "plain")
	case "acr-asked":
		q.Del("acr_values")
	case "max-age-asked":
		q.Del("max_age")
	}
	if p.has("par-used") {
		return q, nil
	}
	var pushed struct {
		URI string `json:"request_uri"`
	}
	if err := p.post(ctx, d.Push, q, d, &pushed); err != nil {
		return nil, err
	}
	short := url.Values{"client_id": {q.Get("client_id")}, "request_uri": {pushed.URI}}
	if p.has("secrets-in-front") {
		short.Set("client_assertion", "eyJ")
	}
	return short, nil
}

// post posts a form as this client.
func (p *own) post(ctx context.Context, to string, form url.Values, d *discovered, v any) error {
	form = url.Values(http.Header(form).Clone())
	if !form.Has("client_id") {
		form.Set("client_id", clientID)
	}
	if !p.has("client-authenticated") {
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		assertion, err := p.assertion(d)
		if err != nil {
			return err
		}
		form.Set("client_assertion", assertion)
	}
	if p.has("token-request-body") && to == d.Token {
		to += "?code=" + form.Get("code")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r, v)
}

func (p *own) assertion(d *discovered) (string, error) {
	key, now := any(p.key), p.clock.Now()
	if p.has("assertion-signature") {
		key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	algorithm := jose.ES256
	if p.has("assertion-algorithm") {
		key, algorithm = []byte(strings.Repeat("k", 32)), jose.HS256
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "own"))
	if err != nil {
		return "", err
	}
	claims := map[string]any{"iss": clientID, "sub": clientID, "aud": d.Token, "iat": now.Unix(), "exp": now.Unix() + 60, "jti": token(16)}
	switch p.fault {
	case "assertion-subject":
		claims["sub"] = "somebody"
	case "assertion-audience":
		claims["aud"] = "https://elsewhere.invalid/"
	case "assertion-expiry":
		claims["exp"] = now.Unix() + 30*86400
	case "assertion-jti":
		claims["jti"] = "once"
	}
	return jwt.Signed(s).Claims(claims).Serialize()
}

// restart is a start of the program anew.
func (p *own) restart(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.keys = nil, map[string][]jose.JSONWebKey{}
	return nil
}

func (p *own) fail(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, "<!doctype html><title>no</title><p>You are not logged in: %s</p>", html.EscapeString(err.Error()))
}

func (p *own) callback(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	q := r.URL.Query()
	n, err := p.take(r, q)
	if err != nil {
		if p.has("state-escaped") {
			fmt.Fprintf(w, "<!doctype html><p>unknown state %s</p>", q.Get("state"))
			return
		}
		p.fail(w, err)
		return
	}
	if code := q.Get("error"); code != "" {
		if p.declined(w, code, q) {
			return
		}
	}
	if q.Get("code") == "" {
		if p.has("callback-empty") {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if !p.has("error-access-denied") {
			p.fail(w, errors.New("no code"))
			return
		}
	}
	s, err := p.exchange(r.Context(), q.Get("code"), n)
	if err != nil {
		p.failed(w, err)
		return
	}
	p.admit(w, r, n, s)
}

// declined answers an error of the provider's, and reports whether that is the end.
func (p *own) declined(w http.ResponseWriter, code string, q url.Values) bool {
	switch {
	case p.has("error-escaped") && q.Get("error_description") != "":
		fmt.Fprintf(w, "<!doctype html><p>%s</p>", q.Get("error_description"))
	case p.has("error-code-escaped"):
		fmt.Fprintf(w, "<!doctype html><p>%s</p>", code)
	case p.has("error-login-required") && code == "login_required":
		w.WriteHeader(http.StatusInternalServerError)
	case p.has("error-with-code") && q.Get("code") != "", p.has("error-access-denied") && q.Get("code") == "":
		return false
	default:
		p.fail(w, errors.New(code+": "+q.Get("error_description")))
	}
	return true
}

// breaks are the errors at which a faulty twin breaks down.
var breaks = map[string]string{"refusal-status": "iss-other", "userinfo-html": "userinfo html", "token-refused": "token answered 400", "token-down": "token\": EOF",
	"token-html": "token html", "userinfo-down": "userinfo\": EOF", "keys-down": "certs answered 503", "discovery-down": "configuration answered 503"}

// failed answers what went wrong at the provider.
func (p *own) failed(w http.ResponseWriter, err error) {
	switch p.fault {
	case "refusal-status", "userinfo-html", "token-refused", "token-down", "token-html", "userinfo-down", "keys-down", "discovery-down":
		if strings.Contains(err.Error(), breaks[p.fault]) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintln(w, "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d")
			return
		}
	}
	p.fail(w, err)
}

func (p *own) admit(w http.ResponseWriter, r *http.Request, n *pending, s *session) {
	id := token(24)
	if p.has("session-fixed") {
		id = n.browser
	}
	p.mu.Lock()
	p.sessions[id], p.latest = s, s
	p.mu.Unlock()
	if !p.has("session-fixed") {
		p.cookie(w, "sid", id)
	}
	to := "/"
	if u, err := url.Parse(n.returnTo); n.returnTo != "" && (p.has("return-elsewhere") || err == nil && u.Host == "" && u.Scheme == "" && strings.HasPrefix(n.returnTo, "/") && !strings.HasPrefix(n.returnTo, "//") && !strings.ContainsAny(n.returnTo, "\\\r\n\t")) {
		to = n.returnTo
	}
	switch p.fault {
	case "tokens-not-in-addresses":
		to += "?access_token=" + s.access
	case "code-leaves-address":
		w.Header().Del("Referrer-Policy")
		fmt.Fprintln(w, "you are in")
		return
	case "tokens-not-in-pages":
		p.cookie(w, "at", s.access)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (p *own) browser(r *http.Request) string {
	c, err := r.Cookie("pre")
	if err != nil {
		return ""
	}
	return c.Value
}

// take finds the login that a callback ends: state, browser and issuer.
func (p *own) take(r *http.Request, q url.Values) (*pending, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	browser, state := p.browser(r), q.Get("state")
	n := p.pending[state]
	forgiven := false // a login of another browser
	switch {
	case n != nil:
		forgiven = p.has("callback-other-browser") && browser == "" || p.has("state-swapped") && browser != ""
	case p.has("state-sent"):
		for _, other := range p.pending {
			if other.browser == browser {
				n = other
			}
		}
		if n == nil {
			return nil, errors.New("no login")
		}
	case p.has("state-missing") && state == "", p.has("state-other") && len(state) == 32 && browser != "" && p.pending[p.spare.state] != nil:
		n = p.spare
	case p.has("callback-unbegun") && browser == "":
		n, forgiven = p.spare, true
	default:
		return nil, errors.New("no such login")
	}
	if n.browser != browser && !forgiven {
		return nil, errors.New("begun elsewhere")
	}
	if !p.has("callback-twice") {
		delete(p.pending, n.state)
	}
	if iss, ok := q["iss"]; ok && iss[0] != p.issuer && !(p.has("callback-iss-other") && strings.HasPrefix(iss[0], p.issuer)) && !(p.has("mix-up") && strings.HasPrefix(iss[0], "https://")) || !ok && !p.has("callback-iss-missing") {
		return nil, errors.New("another issuer answered")
	}
	for _, values := range q {
		if len(values) > 1 && !p.has("parameters-twice") {
			return nil, errors.New("a parameter twice")
		}
	}
	return n, nil
}

func (p *own) exchange(ctx context.Context, code string, n *pending) (*session, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.redirectURI()}, "code_verifier": {n.verifier}}
	switch p.fault {
	case "pkce-verifier-right":
		form.Set("code_verifier", token(32))
	case "redirect-uri-repeated":
		form.Set("redirect_uri", p.URL)
	case "code-other-session":
		p.mu.Lock()
		form.Set("code_verifier", p.spare.verifier)
		p.mu.Unlock()
	}
	var a struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
		ID     string `json:"id_token"`
	}
	if err := p.post(ctx, d.Token, form, d, &a); err != nil {
		return nil, err
	}
	if a.ID == "" && p.has("id-token-missing") {
		return &session{subject: "somebody"}, nil
	}
	claims, err := p.verify(ctx, d, a.ID)
	if err != nil && p.has("id-token-garbage") && strings.HasPrefix(a.ID, "AAAA.") {
		return &session{subject: "somebody"}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := p.check(claims, n, a.Access); err != nil {
		return nil, err
	}
	s := &session{access: a.Access}
	s.subject, _ = claims["sub"].(string)
	var info map[string]any
	if err := p.read(ctx, d.UserInfo, a.Access, &info); err != nil && !p.has("userinfo-error") {
		return nil, err
	}
	if claims["sub"] == nil && p.has("sub-missing") {
		claims["sub"] = info["sub"]
		s.subject, _ = info["sub"].(string)
	}
	if info["sub"] != claims["sub"] && !p.userinfoForgiven(info) {
		return nil, errors.New("attributes of somebody else")
	}
	s.name, _ = info["name"].(string)
	if p.has("sub-swapped") {
		s.subject, _ = info["sub"].(string)
	}
	return s, nil
}

func (p *own) userinfoForgiven(info map[string]any) bool {
	sub, _ := info["sub"].(string)
	return p.has("userinfo-error") && info == nil || p.has("userinfo-sub-missing") && sub == "" ||
		p.has("userinfo-sub-other") && sub == "somebody-else" || p.has("sub-swapped") && sub != "somebody-else" && sub != ""
}

func (p *own) me(w http.ResponseWriter, r *http.Request) {
	id := ""
	for _, name := range []string{"sid", "pre"} {
		if c, err := r.Cookie(name); err == nil && (name == "sid" || p.has("session-fixed")) {
			id = c.Value
			break
		}
	}
	p.mu.Lock()
	s := p.sessions[id]
	if s != nil && p.has("two-browsers") {
		s = p.latest
	}
	p.mu.Unlock()
	if s == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"person": map[string]string{"sub": s.subject, "name": s.name}})
}

func (p *own) logout(w http.ResponseWriter, r *http.Request) {
	name := "sid"
	if p.has("session-fixed") {
		name = "pre"
	}
	if c, err := r.Cookie(name); err == nil && !p.has("logout-ends-session") && !p.has("logout") {
		p.mu.Lock()
		delete(p.sessions, c.Value)
		p.mu.Unlock()
	}
	if !p.has("logout") {
		w.Header().Add("Set-Cookie", "sid=; Max-Age=0; Path=/")
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *own) jwks(w http.ResponseWriter, r *http.Request) {
	key := jose.JSONWebKey{Key: p.key.Public(), KeyID: "own", Algorithm: "ES256", Use: "sig"}
	if p.has("client-keys-public") {
		key.Key = p.key
	}
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
}
