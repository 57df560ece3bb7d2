package oidc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/keystore"
	"warifu/oidc"
	"warifu/store"
)

// hollow is a provider without a database: nothing may get so far.
func hollow(t testing.TB) (*oidc.Provider, book) {
	t.Helper()
	key, err := keystore.NewSymmetricKey(bytes.Repeat([]byte{1}, 32))
	must(t, err)
	clients := book{}
	sign := newKey(t)
	clients[bank] = oidc.Client{ID: bank, RedirectURIs: []string{bankBack}, JWKS: keySet(sign, bank), Scopes: []string{"name"}}
	clock := &housetest.Clock{}
	clock.To(housetest.Begin)
	p, err := oidc.New(oidc.Config{
		Origin: housetest.Origin, Clients: clients, Store: absent{}, MAC: attest.MAC(key.HMAC), Keys: []oidc.SigningKey{{Key: newKey(t), From: housetest.Begin}}, Clock: clock,
	})
	must(t, err)
	return p, clients
}

// FuzzAuthorizationRequest: whatever comes, nobody is sent anywhere but to the login's page or a
// registered redirect URI, and the state comes back as it went.
func FuzzAuthorizationRequest(f *testing.F) {
	good := url.Values{
		"response_type": {"code"}, "client_id": {bank}, "redirect_uri": {bankBack}, "scope": {"openid"}, "state": {"a state"},
		"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	f.Add(good.Encode(), false)
	f.Add(good.Encode()+"&redirect_uri=https://evil.example", true)
	f.Add("client_id="+bank+"&request_uri=urn:ietf:params:oauth:request_uri:AAAA", false)
	f.Add("client_id=%zz;x", false)
	f.Add(strings.Repeat("a=b&", 100), true)
	p, _ := hollow(f)
	f.Fuzz(func(t *testing.T, query string, post bool) {
		r := httptest.NewRequest(http.MethodGet, authURL, nil)
		r.URL.RawQuery = query
		if post {
			r = httptest.NewRequest(http.MethodPost, authURL, strings.NewReader(query))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		out := httptest.NewRecorder()
		p.ServeHTTP(out, r)
		where := out.Header().Get("Location")
		switch {
		case where == "":
			if out.Code < 400 {
				t.Errorf("%d and nowhere to go", out.Code)
			}
		case strings.HasPrefix(where, housetest.Origin+"/login/l"):
		case strings.HasPrefix(where, bankBack+"?error="):
			back, err := url.Parse(where)
			must(t, err)
			sent, _ := url.ParseQuery(query)
			if got := back.Query()["state"]; len(got) > 1 || len(got) == 1 && got[0] != sent.Get("state") {
				t.Errorf("state %q came back as %q", sent["state"], got)
			}
		default:
			t.Errorf("sent to %q", where)
		}
	})
}

// FuzzClientAssertion: nothing that a client's key has not signed lets anybody in.
func FuzzClientAssertion(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJSUDAwMDAwMDAxIn0.", bank)
	f.Add("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJSUDAwMDAwMDAxIiwic3ViIjoiUlAwMDAwMDAwMSIsImF1ZCI6W10sImV4cCI6MWUzMDB9.AAAA", "")
	f.Add(`{"payload":"","signatures":[]}`, bank)
	f.Add("..", bank)
	p, _ := hollow(f)
	f.Fuzz(func(t *testing.T, text, id string) {
		form := url.Values{"client_assertion_type": {jwtBearer}, "client_assertion": {text}, "grant_type": {"authorization_code"}, "code": {"x"}, "client_id": {id}}
		r := httptest.NewRequest(http.MethodPost, tokenURL, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		out := httptest.NewRecorder()
		p.ServeHTTP(out, r)
		var e struct{ Error string }
		if err := json.Unmarshal(out.Body.Bytes(), &e); err != nil || out.Code < 400 || e.Error == "" || e.Error == "server_error" {
			t.Errorf("%d %s", out.Code, out.Body)
		}
	})
}

// FuzzBearer: whatever stands in the header, the answer is one of RFC 6750's.
func FuzzBearer(f *testing.F) {
	f.Add("Bearer x")
	f.Add("bearer " + strings.Repeat("A", 70))
	f.Add("Bearer " + strings.Repeat("A", 60))
	f.Add("Basic eDp5")
	p, _ := hollow(f)
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, infoURL, nil)
		r.Header["Authorization"] = []string{header}
		out := httptest.NewRecorder()
		p.ServeHTTP(out, r)
		if out.Code != http.StatusUnauthorized && out.Code != http.StatusBadRequest || out.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%d %v", out.Code, out.Header())
		}
	})
}

// FuzzAnswer: what is read is within its bounds, and reads the same when it is written again.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"certificate":"AA==","signature":"AA==","agreed":["name"],"number":"42","activation":"pin"}`,
		`{"agreed":[],"activation":"password","signed":{"certificate":"AA==","element":"00","request":"AA=="}}`,
		`{"certificate":"AA==","signature":"AA==","agreed":null,"activation":"pin"} x`,
		`{"unknown":1}`, `[]`, ``, `{"agreed":[1]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := oidc.ParseAnswer(bytes.NewReader(b))
		if err != nil {
			return
		}
		if len(a.Agreed) > 4 || len(a.Number) != 0 && len(a.Number) != 2 {
			t.Errorf("%+v", a)
		}
		again, err := json.Marshal(a)
		must(t, err)
		if _, err := oidc.ParseAnswer(bytes.NewReader(again)); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}

// absent is a Store that is not there.
type absent struct{}

// Read implements oidc.Store.
func (absent) Read(context.Context, func(*store.Tx) error) error {
	return warifu.NotFound("login-unknown")
}

// Write implements oidc.Store: what was written is gone.
func (absent) Write(context.Context, func(*store.Tx) error) error { return nil }
