package party_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"warifu/relyingparty"
	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/party"
	"warifu/text"
)

// site is a small website around somebody's OpenID library: sessions, who is logged in,
// logging out.
type site struct {
	*httptest.Server
	// begin says where to send a browser and what its cookie keeps.
	begin func(ctx context.Context) (to, keep string, err error)
	// finish takes what came back and the cookie, and says who logged in.
	finish func(ctx context.Context, q url.Values, keep string) (subject string, err error)

	mu       sync.Mutex
	sessions map[string]string
	csrf     string // where a login begins by POST: what the form has to bring
}

func newSite(t testing.TB, keys []byte) *site {
	s := &site{sessions: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/login", s.login)
	mux.HandleFunc("/signin", s.signIn)
	mux.HandleFunc("/callback", s.callback)
	mux.HandleFunc("/me", s.me)
	mux.HandleFunc("/logout", s.logout)
	mux.HandleFunc("/{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/jwks.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(keys) })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func setCookie(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// kept is the name of a login's cookie: one for each, so that two tabs do not meet; the same
// for all where the request was pushed and the address does not tell the state.
func kept(state string) string {
	if state == "" {
		return "login"
	}
	sum := sha256.Sum256([]byte(state))
	return "login-" + base64.RawURLEncoding.EncodeToString(sum[:9])
}

// signIn is a page with a form, as frameworks have it.
func (s *site) signIn(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `<!doctype html><form method=post action=/login><input type="hidden" name='csrf' value="%s&amp;"><input type=submit></form>`, s.csrf)
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	if s.csrf != "" && (r.Method != http.MethodPost || r.PostFormValue("csrf") != s.csrf+"&" || r.PostFormValue("provider") != "warifu") {
		s.no(w, errors.New("no form"))
		return
	}
	to, keep, err := s.begin(r.Context())
	if err != nil {
		s.no(w, err)
		return
	}
	u, _ := url.Parse(to)
	setCookie(w, kept(u.Query().Get("state")), keep, 600)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *site) no(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, "<!doctype html><p>%s</p>", html.EscapeString(err.Error()))
}

func (s *site) callback(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	name := kept(r.URL.Query().Get("state"))
	c, err := r.Cookie(name)
	if err != nil {
		name = kept("")
		c, err = r.Cookie(name)
	}
	if err != nil {
		s.no(w, errors.New("no login was begun here"))
		return
	}
	setCookie(w, name, "", -1)
	subject, err := s.finish(r.Context(), r.URL.Query(), c.Value)
	if err != nil {
		s.no(w, err)
		return
	}
	id := token(24)
	s.mu.Lock()
	s.sessions[id] = subject
	s.mu.Unlock()
	setCookie(w, "sid", id, 0)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) me(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := r.Cookie("sid"); err == nil && s.sessions[c.Value] != "" {
		fmt.Fprintf(w, "<!doctype html><p>Hello, <b>%s</b></p>", html.EscapeString(s.sessions[c.Value]))
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *site) logout(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := r.Cookie("sid"); err == nil && r.Method == http.MethodPost {
		delete(s.sessions, c.Value)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// siteConfig is the configuration for a site: its pages are HTML, its logout a POST.
func siteConfig(t testing.TB, s *site, issuer string, change func(*party.Config)) party.Config {
	t.Helper()
	c := party.Config{
		Issuer: issuer,
		Client: party.Client{ID: clientID, RedirectURI: "/callback", JWKSURI: "/jwks.json"},
		Login:  party.Login{Start: "/login", Logout: "/logout", LogoutMethod: "POST"},
		Who:    party.Who{URL: "/me", Match: `Hello, <b>([^<]+)</b>`},
	}
	change(&c)
	if err := c.Complete(s.URL); err != nil {
		t.Fatal(err)
	}
	return c
}

// noFault wants nothing to mend in a library that is set up well, and tells of advice.
func noFault(t *testing.T, x *party.Examination, target string) {
	t.Helper()
	r := x.Suite(target).Run(t.Context(), nil)
	for _, one := range r.Results {
		switch one.Outcome {
		case doctor.Fault, doctor.Unclear:
			t.Errorf("%s is %s: %s", one.ID, one.Outcome, one.Seen(text.English))
		case doctor.Advice, doctor.Skipped:
			t.Logf("%s is %s: %s", one.ID, one.Outcome, one.Seen(text.English))
		}
	}
	if r.Count(doctor.Pass) < 75 {
		t.Errorf("only %d cases passed", r.Count(doctor.Pass))
	}
}

func TestNoFaultInTheRelyingPartyPackage(t *testing.T) {
	t.Parallel()
	l, issuer := listen(t)
	key, err := relyingparty.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, relyingparty.JWKS(key))
	p, err := relyingparty.Open(t.Context(), relyingparty.Config{Issuer: issuer, ClientID: clientID, Key: key, RedirectURI: s.URL + "/callback",
		Scopes: []string{"openid", "name"}, HTTP: impatient(nil)})
	if err != nil {
		t.Fatal(err)
	}
	s.begin = func(ctx context.Context) (string, string, error) {
		b, err := p.Begin(ctx, relyingparty.Wish{ACR: []string{"aal3", relyingparty.DemandPhone}, MaxAge: 5 * time.Minute})
		return b.URL, b.State, err
	}
	s.finish = func(ctx context.Context, q url.Values, keep string) (string, error) {
		login, err := p.Finish(ctx, q, keep)
		if err != nil {
			return "", err
		}
		if login.ACR != "aal3" { // the level is the caller's to judge
			return "", errors.New("a lower level")
		}
		_, err = p.UserInfo(ctx, login)
		return login.Subject, err
	}
	noFault(t, open(t, siteConfig(t, s, issuer, func(c *party.Config) {
		c.Client.PAR = true
		c.Demands = party.Demands{Class: "phone", ACR: []string{"aal3"}, MaxAge: party.Duration{Duration: 5 * time.Minute}}
	}), l), s.URL)
}

// impatient is a client that waits three seconds, reads a bounded answer and follows nothing.
func impatient(inner http.RoundTripper) *http.Client {
	if inner == nil {
		inner = http.DefaultTransport
	}
	return &http.Client{Timeout: 3 * time.Second, Transport: limited{inner},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// limited reads no more than a mebioctet of an answer.
type limited struct{ inner http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.inner.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, 1<<20), answer.Body}
	}
	return answer, err
}

// goOIDC is a login by coreos/go-oidc and x/oauth2, as their documentation says, with what
// they leave to the caller: state, nonce, iss (RFC 9207), azp, acr, auth_time, at_hash, iat.
type goOIDC struct {
	issuer   string
	client   *http.Client
	key      *ecdsa.PrivateKey // nil: it has a secret
	alg      string
	names    bool // it shows the name rather than the subject
	config   oauth2.Config
	provider *oidc.Provider
	mu       sync.Mutex
}

// remembered is what the cookie of a login keeps.
type remembered struct{ State, Nonce, Verifier string }

// up reads the provider's document once.
func (g *goOIDC) up(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.provider != nil {
		return nil
	}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, g.client), g.issuer)
	if err != nil {
		return err
	}
	g.provider, g.config.Endpoint = p, p.Endpoint()
	g.config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	if g.key == nil {
		g.config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	return nil
}

func (g *goOIDC) begin(ctx context.Context) (string, string, error) {
	if err := g.up(ctx); err != nil {
		return "", "", err
	}
	m := remembered{State: token(24), Nonce: token(24), Verifier: oauth2.GenerateVerifier()}
	keep, err := json.Marshal(m)
	to := g.config.AuthCodeURL(m.State, oidc.Nonce(m.Nonce), oauth2.S256ChallengeOption(m.Verifier), oauth2.SetAuthURLParam("max_age", "300"), oauth2.SetAuthURLParam("acr_values", "aal3"))
	return to, base64.RawURLEncoding.EncodeToString(keep), err
}

func (g *goOIDC) finish(ctx context.Context, q url.Values, keep string) (string, error) {
	var m remembered
	kept, err := base64.RawURLEncoding.DecodeString(keep)
	if err == nil {
		err = json.Unmarshal(kept, &m)
	}
	if err != nil {
		return "", err
	}
	for name, values := range q {
		if len(values) != 1 {
			return "", fmt.Errorf("%s twice", name)
		}
	}
	if q.Get("state") != m.State || q.Get("iss") != g.issuer || q.Get("error") != "" || q.Get("code") == "" {
		return "", errors.New("not the answer that was asked for")
	}
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(m.Verifier)}
	if g.key != nil {
		assertion, err := (&own{key: g.key, clock: systemClock{}}).assertion(&discovered{Token: g.config.Endpoint.TokenURL})
		if err != nil {
			return "", err
		}
		options = append(options, oauth2.SetAuthURLParam("client_assertion", assertion),
			oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
	}
	ctx = oidc.ClientContext(ctx, g.client)
	t, err := g.config.Exchange(ctx, q.Get("code"), options...)
	if err != nil {
		return "", errors.New("the provider refused")
	}
	return g.check(ctx, t, m)
}

func (g *goOIDC) check(ctx context.Context, t *oauth2.Token, m remembered) (string, error) {
	raw, _ := t.Extra("id_token").(string)
	id, err := g.provider.VerifierContext(ctx, &oidc.Config{ClientID: clientID, SupportedSigningAlgs: []string{g.alg}}).Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	var c struct {
		AZP      string `json:"azp"`
		ACR      string `json:"acr"`
		AuthTime int64  `json:"auth_time"`
	}
	if err := id.Claims(&c); err != nil {
		return "", err
	}
	now := time.Now()
	switch {
	case id.Nonce != m.Nonce, id.Subject == "", len(id.Audience) != 1, c.AZP != "" && c.AZP != clientID, c.ACR != "aal3":
		return "", errors.New("not for this login")
	case now.Sub(time.Unix(c.AuthTime, 0)) > 6*time.Minute, id.IssuedAt.After(now.Add(time.Minute)), now.Sub(id.IssuedAt) > time.Hour:
		return "", errors.New("not of this time")
	case id.AccessTokenHash != "" && id.VerifyAccessToken(t.AccessToken) != nil:
		return "", errors.New("another access token")
	}
	info, err := g.provider.UserInfo(ctx, oauth2.StaticTokenSource(t))
	if err != nil || info.Subject != id.Subject {
		return "", errors.New("somebody else's attributes")
	}
	if g.names {
		var named struct{ Name string }
		err := info.Claims(&named)
		return named.Name, err
	}
	return id.Subject, nil
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func TestNoFaultInGoOIDCSetUpWell(t *testing.T) {
	t.Parallel()
	l, issuer := listen(t)
	key, err := relyingparty.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	g := &goOIDC{issuer: issuer, client: impatient(nil), key: key, alg: oidc.ES256}
	examineGoOIDC(t, l, g, newSite(t, relyingparty.JWKS(key)), func(*party.Config) {})
}

// The other way round: a secret in the header, RSA, a login that begins with a form, and a
// page that shows a name.
func TestNoFaultInGoOIDCWithASecretAndRSA(t *testing.T) {
	t.Parallel()
	l, issuer := listen(t)
	g := &goOIDC{issuer: issuer, client: impatient(nil), alg: oidc.RS256, names: true}
	s := newSite(t, nil)
	s.csrf = token(12)
	g.config.ClientSecret = "a secret"
	examineGoOIDC(t, l, g, s, func(c *party.Config) {
		c.Client.Authentication, c.Client.Algorithm, c.Client.JWKSURI, c.Who.Claim = "client_secret_basic", "RS256", "", "name"
		c.Login.Page, c.Login.Method, c.Login.Form = "/signin", "POST", map[string]string{"provider": "warifu"}
	})
}

func examineGoOIDC(t *testing.T, l net.Listener, g *goOIDC, s *site, change func(*party.Config)) {
	t.Helper()
	g.config.ClientID, g.config.RedirectURL, g.config.Scopes = clientID, s.URL+"/callback", []string{oidc.ScopeOpenID, "name"}
	s.begin, s.finish = g.begin, g.finish
	x := open(t, siteConfig(t, s, g.issuer, func(c *party.Config) {
		c.Demands = party.Demands{ACR: []string{"aal3"}, MaxAge: party.Duration{Duration: 5 * time.Minute}}
		change(c)
	}), l)
	x.Restart = func(context.Context) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.provider = nil
		return nil
	}
	noFault(t, x, s.URL)
}
