package party

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"warifu"
)

// The provider's paths below its issuer: those of this project's own provider.
const (
	pathAuth     = "/protocol/openid-connect/auth"
	pathToken    = "/protocol/openid-connect/token"
	pathUserInfo = "/protocol/openid-connect/userinfo"
	pathKeys     = "/protocol/openid-connect/certs"
	pathPush     = "/protocol/openid-connect/ext/par/request"
	pathKnown    = "/.well-known/openid-configuration"
)

// act is what a case changes of the honest provider. Each field that is nil is honest.
type act struct {
	claims    func(*login, map[string]any) // of the ID token
	header    func(map[string]any)         // of the ID token
	token     func(*login) string          // the ID token itself, instead of a signed one
	answer    func(*login, map[string]any) // of the token endpoint
	userinfo  func(*login, map[string]any)
	keys      func([]any) []any
	discovery func(map[string]any)
	callback  func(*login, url.Values)
	refuse    func(*login, call) string // an OAuth error code of the token endpoint; "" none
	// serve answers a request to the path below the issuer in place of the provider, and
	// reports whether it did.
	serve func(w http.ResponseWriter, r *http.Request, path string) bool
}

// login is one authorization the relying party asked for.
type login struct {
	front   url.Values // what the browser's address carried
	request url.Values // the parameters, pushed or not
	pushed  *call      // how they were pushed; nil: they were not
	code    string
	access  string
	subject string
	name    string
	at      time.Time
	idToken string // as it was answered

	tokenCalls    []call
	userinfoCalls int
}

// call is a request of the relying party's to the provider.
type call struct {
	method string
	query  url.Values
	form   url.Values
	header http.Header
}

// provider plays the OpenID provider.
type provider struct {
	issuer string
	client Client
	class  string
	clock  warifu.Clock
	honest key
	house  http.Handler // what is asked for outside the issuer; nil: nothing

	mu        sync.Mutex
	act       act
	published []key // beside the honest one
	byCode    map[string]*login
	byAccess  map[string]*login
	byPush    map[string]pushed
	calls     map[string]int // by path below the issuer
	assertion []call         // all that carried a client's authentication
}

type pushed struct {
	call call
}

func newProvider(c Config, clock warifu.Clock) *provider {
	class := c.Demands.Class
	preset(&class, "phone")
	return &provider{issuer: c.Issuer, client: c.Client, class: class, clock: clock, honest: newKey(c.Client.Algorithm),
		byCode: map[string]*login{}, byAccess: map[string]*login{}, byPush: map[string]pushed{}, calls: map[string]int{}}
}

// perform plays the act from now on.
func (p *provider) perform(a act) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.act, p.published = a, nil
}

func (p *provider) playing() act {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.act
}

// publish has a further key in the key set until the next act.
func (p *provider) publish(k key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.published = append(p.published, k)
}

// count is how often a path below the issuer has been asked for.
func (p *provider) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

// begin reads an authorization request as it arrived in the browser's address.
func (p *provider) begin(front url.Values) *login {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &login{front: front, request: front, code: random(24), access: random(24), subject: "s" + random(18), at: p.clock.Now()}
	l.name = "name-" + l.subject[1:9]
	if got, ok := p.byPush[front.Get("request_uri")]; ok {
		l.request, l.pushed = got.call.form, &got.call
	}
	p.byCode[l.code], p.byAccess[l.access] = l, l
	return l
}

// answered is the address the browser is sent back to.
func (p *provider) answered(l *login, a act) string {
	back, err := url.Parse(p.client.RedirectURI)
	if err != nil {
		return p.client.RedirectURI
	}
	q := url.Values{"code": {l.code}, "state": {l.request.Get("state")}, "iss": {p.issuer}, "session_state": {random(9)}}
	if a.callback != nil {
		a.callback(l, q)
	}
	given := back.Query()
	for name, values := range q {
		given[name] = values
	}
	back.RawQuery = given.Encode()
	return back.String()
}

// calls returns copies of what a login brought to the token endpoint and to userinfo.
func (p *provider) reached(l *login) (token []call, userinfo int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), l.tokenCalls...), l.userinfoCalls
}

// authenticated returns every call with which the relying party said who it is.
func (p *provider) authenticated() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), p.assertion...)
}

// ServeHTTP implements http.Handler.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	path := p.below(r.URL.Path)
	a := p.playing()
	p.mu.Lock()
	p.calls[path]++
	p.mu.Unlock()
	if a.serve != nil && a.serve(w, r, path) {
		return
	}
	switch path {
	case pathKnown:
		p.serveDiscovery(w, a)
	case pathKeys:
		p.serveKeys(w, a)
	case pathPush:
		p.servePush(w, r)
	case pathToken:
		p.serveToken(w, r, a)
	case pathUserInfo:
		p.serveUserInfo(w, r, a)
	case pathAuth: // somebody's own browser; the doctor's own never comes here
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("warifu doctor\n"))
	default:
		if _, outside := strings.CutPrefix(path, "outside "); outside && p.house != nil {
			p.house.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}
}

// below is the path below the issuer. The document stands below the origin too.
func (p *provider) below(path string) string {
	if path == pathKnown {
		return pathKnown
	}
	u, err := url.Parse(p.issuer)
	if err != nil {
		return path
	}
	rest, ok := strings.CutPrefix(path, u.Path)
	if !ok {
		return "outside " + path
	}
	return rest
}

func (p *provider) serveDiscovery(w http.ResponseWriter, a act) {
	doc := map[string]any{
		"issuer": p.issuer, "authorization_endpoint": p.issuer + pathAuth, "token_endpoint": p.issuer + pathToken,
		"userinfo_endpoint": p.issuer + pathUserInfo, "jwks_uri": p.issuer + pathKeys,
		"pushed_authorization_request_endpoint": p.issuer + pathPush,
		"response_types_supported":              []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": []string{"authorization_code"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported":            []string{p.client.Algorithm},
		"scopes_supported":                                 []string{"openid", "name", "address", "birthdate", "gender", "sign"},
		"token_endpoint_auth_methods_supported":            []string{byAssertion, byBasic, byPost, byNothing},
		"token_endpoint_auth_signing_alg_values_supported": []string{"ES256", "PS256", "RS256"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"authorization_response_iss_parameter_supported":   true,
		"claims_parameter_supported":                       false,
		"acr_values_supported":                             []string{"aal2", "aal3", "urn:warifu:class:card", "urn:warifu:class:phone"},
	}
	if a.discovery != nil {
		a.discovery(doc)
	}
	writeJSON(w, http.StatusOK, doc)
}

func (p *provider) serveKeys(w http.ResponseWriter, a act) {
	p.mu.Lock()
	keys := []any{p.honest.public()}
	for _, k := range p.published {
		keys = append(keys, k.public())
	}
	p.mu.Unlock()
	if a.keys != nil {
		keys = a.keys(keys)
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

func (p *provider) servePush(w http.ResponseWriter, r *http.Request) {
	c, err := p.heard(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	uri := "urn:ietf:params:oauth:request_uri:" + random(18)
	p.mu.Lock()
	p.byPush[uri] = pushed{c}
	p.mu.Unlock()
	writeJSON(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": 90})
}

// heard reads a form that the relying party posts, and remembers that it did.
func (p *provider) heard(r *http.Request) (call, error) {
	if err := r.ParseForm(); err != nil {
		return call{}, err
	}
	c := call{method: r.Method, query: r.URL.Query(), form: r.PostForm, header: r.Header.Clone()}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.assertion = append(p.assertion, c)
	return c, nil
}

// serveToken answers whatever the relying party proves: what is wrong with it is for the
// cases to say, one by one.
func (p *provider) serveToken(w http.ResponseWriter, r *http.Request, a act) {
	c, err := p.heard(r)
	if err != nil || c.form.Get("grant_type") != "authorization_code" {
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	p.mu.Lock()
	l := p.byCode[c.form.Get("code")]
	if l != nil {
		l.tokenCalls = append(l.tokenCalls, c)
	}
	p.mu.Unlock()
	if l == nil {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if a.refuse != nil {
		if code := a.refuse(l, c); code != "" {
			refuse(w, http.StatusBadRequest, code)
			return
		}
	}
	id := p.idToken(l, a)
	answer := map[string]any{"access_token": l.access, "token_type": "Bearer", "expires_in": 600, "scope": l.request.Get("scope"), "id_token": id}
	if a.answer != nil {
		a.answer(l, answer)
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, answer)
}

// idToken makes the ID token of the act, and remembers it.
func (p *provider) idToken(l *login, a act) string {
	var made string
	if a.token != nil {
		made = a.token(l)
	} else {
		claims, header := p.claims(l), p.header()
		if a.claims != nil {
			a.claims(l, claims)
		}
		if a.header != nil {
			a.header(header)
		}
		made = compact(header, claims, p.honest.sign)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l.idToken = made
	return made
}

func (p *provider) header() map[string]any {
	return map[string]any{"alg": p.honest.algorithm, "kid": p.honest.id, "typ": "JWT"}
}

// claims are those of an honest ID token.
func (p *provider) claims(l *login) map[string]any {
	now := p.clock.Now().Unix()
	c := map[string]any{
		"iss": p.issuer, "sub": l.subject, "aud": p.client.ID, "azp": p.client.ID, "exp": now + 300, "iat": now, "auth_time": l.at.Unix(),
		"acr": firstACR(l.request), "amr": []string{"hwk", "pin"}, "at_hash": halfHash(l.access), "sid": "sid-" + l.subject,
		"warifu_class": p.class, "warifu_activation": "pin",
	}
	if nonce := l.request.Get("nonce"); nonce != "" {
		c["nonce"] = nonce
	}
	return c
}

// firstACR is the first of what was asked for that names a level.
func firstACR(request url.Values) string {
	for _, v := range strings.Fields(request.Get("acr_values")) {
		if v != "crl" && v != "ocsp" {
			return v
		}
	}
	return "aal3"
}

func (p *provider) serveUserInfo(w http.ResponseWriter, r *http.Request, a act) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	l := p.byAccess[token]
	if l != nil {
		l.userinfoCalls++
	}
	p.mu.Unlock()
	if l == nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "invalid_token")
		return
	}
	claims := map[string]any{"sub": l.subject, "name": l.name, "birthdate": "1980-02-17", "gender": "male",
		"address": map[string]any{"formatted": "東京都清瀬市中里五丁目８４２番地"}}
	if a.userinfo != nil {
		a.userinfo(l, claims)
	}
	writeJSON(w, http.StatusOK, claims)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who hung up hears nothing
}

func refuse(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]any{"error": code, "error_description": "the doctor's provider refuses this"})
}

// open has the provider listen until the context ends; done is closed when it no longer does.
func (p *provider) open(ctx context.Context, l net.Listener, t TLS) (done <-chan struct{}) {
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		var err error
		if t.Certificate != "" {
			err = server.ServeTLS(l, t.Certificate, t.Key)
		} else {
			err = server.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			_ = l.Close()
		}
	}()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return closed
}
