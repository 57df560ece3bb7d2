package relyingparty_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"warifu"
	"warifu/relyingparty"
)

const client, callback = "RP00000007", "http://127.0.0.1:4567/callback"

// fake is a provider that does as it is told: right unless a test bends it.
type fake struct {
	t        *testing.T
	site     *httptest.Server
	clock    warifu.Clock
	party    *ecdsa.PrivateKey // the client's key
	key      *ecdsa.PrivateKey
	keyID    string
	pushed   url.Values
	asked    []string // grant types
	keysRead int
	jtis     map[string]bool

	bend     func(claims map[string]any)             // the ID token's claims
	sign     func(claims map[string]any) string      // in place of ES256
	answer   func(answer map[string]any)             // the token answer
	document func(document map[string]any)           // discovery
	userinfo func(told map[string]any)               //
	refuse   func(w http.ResponseWriter) (done bool) // at the token endpoint
}

func newFake(t *testing.T) (*fake, *relyingparty.Party) {
	t.Helper()
	f := &fake{t: t, clock: warifu.SystemClock{}, keyID: "one", jtis: map[string]bool{}}
	f.party, f.key = key(t), key(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/realms/main/.well-known/openid-configuration", f.discovery)
	mux.HandleFunc("GET /keys", f.keys)
	mux.HandleFunc("POST /par", f.par)
	mux.HandleFunc("POST /token", f.token)
	mux.HandleFunc("GET /userinfo", f.info)
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) { f.authentic(r); f.asked = append(f.asked, "revoke") })
	mux.HandleFunc("POST /api/sign-transactions", f.transaction)
	mux.HandleFunc("GET /api/sign-transactions/{id}/result", f.result)
	f.site = httptest.NewServer(mux)
	t.Cleanup(f.site.Close)
	return f, f.open(nil)
}

func (f *fake) open(change func(*relyingparty.Config)) *relyingparty.Party {
	f.t.Helper()
	c := relyingparty.Config{Issuer: f.issuer(), ClientID: client, Key: f.party, RedirectURI: callback, Scopes: []string{"name"}, Clock: warifu.ClockFunc(func() time.Time { return f.clock.Now() })}
	if change != nil {
		change(&c)
	}
	p, err := relyingparty.Open(f.t.Context(), c)
	must(f.t, err)
	return p
}

func (f *fake) issuer() string { return f.site.URL + "/api/realms/main" }

func (f *fake) discovery(w http.ResponseWriter, _ *http.Request) {
	d := map[string]any{
		"issuer": f.issuer(), "authorization_endpoint": f.site.URL + "/auth", "token_endpoint": f.site.URL + "/token", "userinfo_endpoint": f.site.URL + "/userinfo",
		"jwks_uri": f.site.URL + "/keys", "pushed_authorization_request_endpoint": f.site.URL + "/par", "revocation_endpoint": f.site.URL + "/revoke",
		"authorization_response_iss_parameter_supported": true,
	}
	if f.document != nil {
		f.document(d)
	}
	f.json(w, d)
}

func (f *fake) keys(w http.ResponseWriter, _ *http.Request) {
	f.keysRead++
	f.json(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: f.key.Public(), KeyID: f.keyID, Use: "sig", Algorithm: "ES256"}}})
}

// authentic checks the client assertion as a provider must.
func (f *fake) authentic(r *http.Request) {
	f.t.Helper()
	must(f.t, r.ParseForm())
	token, err := jwt.ParseSigned(r.Form.Get("client_assertion"), []jose.SignatureAlgorithm{jose.ES256})
	must(f.t, err)
	var c jwt.Claims
	must(f.t, token.Claims(f.party.Public(), &c))
	life := c.Expiry.Time().Sub(c.IssuedAt.Time())
	if c.Issuer != client || c.Subject != client || len(c.Audience) != 1 || c.Audience[0] != f.site.URL+"/token" || life > 5*time.Minute || c.ID == "" || f.jtis[c.ID] {
		f.t.Errorf("assertion %+v", c)
	}
	f.jtis[c.ID] = true
}

func (f *fake) par(w http.ResponseWriter, r *http.Request) {
	f.authentic(r)
	f.pushed = r.Form
	w.WriteHeader(http.StatusCreated)
	f.json(w, map[string]any{"request_uri": "urn:ietf:params:oauth:request_uri:x", "expires_in": 60})
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	f.authentic(r)
	f.asked = append(f.asked, r.Form.Get("grant_type"))
	if f.refuse != nil && f.refuse(w) {
		return
	}
	if r.Form.Get("grant_type") == "authorization_code" {
		sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
		if r.Form.Get("code") != "the code" || r.Form.Get("redirect_uri") != callback || base64.RawURLEncoding.EncodeToString(sum[:]) != f.pushed.Get("code_challenge") {
			f.t.Errorf("token request %v", r.Form)
		}
	}
	now := f.clock.Now()
	sum := sha256.Sum256([]byte("access"))
	claims := map[string]any{
		"iss": f.issuer(), "sub": "somebody", "aud": client, "azp": client, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "auth_time": now.Unix(),
		"nonce": f.pushed.Get("nonce"), "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "acr": "aal3", "warifu_class": "phone", "warifu_activation": "pin",
	}
	if f.bend != nil {
		f.bend(claims)
	}
	if f.sign == nil {
		f.sign = func(claims map[string]any) string { return signed(f.t, jose.ES256, f.key, f.keyID, claims) }
	}
	answer := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 600, "refresh_token": "again", "id_token": f.sign(claims)}
	if f.answer != nil {
		f.answer(answer)
	}
	f.json(w, answer)
}

func (f *fake) info(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access" {
		f.t.Errorf("userinfo with %q", r.Header.Get("Authorization"))
	}
	told := map[string]any{"sub": "somebody", "name": "見本 太郎", "address": map[string]any{"formatted": "見本県"}, "birthdate": "2001-02-03", "gender": "male"}
	if f.userinfo != nil {
		f.userinfo(told)
	}
	f.json(w, told)
}

func (f *fake) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	must(f.t, json.NewEncoder(w).Encode(v))
}

// back is what the browser brings back from the provider.
func (f *fake) back() url.Values {
	return url.Values{"code": {"the code"}, "state": {f.pushed.Get("state")}, "iss": {f.issuer()}, "session_state": {strconv.Itoa(1)}}
}

// login walks from Begin to Finish.
func (f *fake) login(p *relyingparty.Party, w relyingparty.Wish) (*relyingparty.Login, error) {
	f.t.Helper()
	begun, err := p.Begin(f.t.Context(), w)
	must(f.t, err)
	return p.Finish(f.t.Context(), f.back(), begun.State)
}

func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", id))
	must(t, err)
	raw, err := jwt.Signed(s).Claims(claims).Serialize()
	must(t, err)
	return raw
}

func key(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := relyingparty.NewKey()
	must(t, err)
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// problem wants an error of that slug, and where what is given, with that parameter.
func problem(t *testing.T, err error, slug, what string) {
	t.Helper()
	e := warifu.ProblemOf(err)
	if e == nil || e.Problem != slug {
		t.Errorf("%v, wanted %s %s", err, slug, what)
		return
	}
	for _, v := range e.Params {
		if v == what {
			return
		}
	}
	if what != "" {
		t.Errorf("%v, wanted %s %s", err, slug, what)
	}
}
