package relyingparty_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/relyingparty"
)

func TestALoginIsThreeCalls(t *testing.T) {
	f, p := newFake(t)
	begun, err := p.Begin(t.Context(), relyingparty.Wish{Scopes: []string{"name", "birthdate"}, ACR: []string{relyingparty.DemandPhone}, MaxAge: time.Hour, Prompt: "login", UILocale: "ja"})
	must(t, err)
	want := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "scope": {"openid name birthdate"}, "code_challenge_method": {"S256"},
		"acr_values": {relyingparty.DemandPhone}, "max_age": {"3600"}, "prompt": {"login"}, "ui_locales": {"ja"},
	}
	for name := range want {
		if f.pushed.Get(name) != want.Get(name) {
			t.Errorf("%s is %q", name, f.pushed.Get(name))
		}
	}
	if begun.URL != f.site.URL+"/auth?client_id="+client+"&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax" {
		t.Errorf("the browser carries %s", begun.URL)
	}
	login, err := p.Finish(t.Context(), f.back(), begun.State)
	must(t, err)
	if login.Subject != "somebody" || login.Class != "phone" || login.Activation != "pin" || login.ACR != "aal3" || login.AuthTime.IsZero() || login.IDToken == "" || login.Expires.IsZero() {
		t.Errorf("%+v", login)
	}
	told, err := p.UserInfo(t.Context(), login)
	must(t, err)
	if told != (relyingparty.Attributes{Name: "見本 太郎", Address: "見本県", BirthDate: "2001-02-03", Gender: "male"}) {
		t.Errorf("%+v", told)
	}
	again, err := p.Refresh(t.Context(), login)
	must(t, err)
	if again.Subject != login.Subject || f.asked[len(f.asked)-1] != "refresh_token" {
		t.Errorf("%+v after %v", again, f.asked)
	}
	must(t, p.Revoke(t.Context(), again))
}

// A provider without a door for pushed requests gets everything by way of the browser.
func TestWithoutPushingTheBrowserCarriesTheRequest(t *testing.T) {
	f, p := newFake(t)
	f.document = func(d map[string]any) {
		delete(d, "pushed_authorization_request_endpoint")
		d["authorization_endpoint"] = f.site.URL + "/auth?realm=1"
	}
	begun, err := p.Begin(t.Context(), relyingparty.Wish{})
	must(t, err)
	u, err := url.Parse(begun.URL)
	must(t, err)
	f.pushed = u.Query()
	if f.pushed.Get("realm") != "1" || f.pushed.Get("scope") != "openid name" || f.pushed.Get("code_challenge") == "" || f.pushed.Has("client_assertion") {
		t.Errorf("%v", f.pushed)
	}
	_, err = p.Finish(t.Context(), f.back(), begun.State)
	must(t, err)
}

// Each claim bent by itself is found by name, and nobody is logged in.
func TestABentIDTokenIsRefused(t *testing.T) {
	now := warifu.SystemClock{}.Now()
	for claim, value := range map[string]any{
		"iss": "https://other.example", "sub": "", "aud": []string{client, "RP00000008"}, "azp": "RP00000008", "exp": now.Add(-2 * time.Minute).Unix(),
		"iat": now.Add(2 * time.Minute).Unix(), "nbf": now.Add(2 * time.Minute).Unix(), "auth_time": now.Add(2 * time.Minute).Unix(), "nonce": "other", "at_hash": "other",
	} {
		t.Run(claim, func(t *testing.T) {
			f, p := newFake(t)
			f.bend = func(c map[string]any) { c[claim] = value }
			_, err := f.login(p, relyingparty.Wish{})
			problem(t, err, "id-token-invalid", claim)
			f.bend = func(c map[string]any) { delete(c, claim) }
			_, err = f.login(p, relyingparty.Wish{})
			switch claim {
			case "azp", "nbf", "auth_time", "at_hash": // need not be there
				must(t, err)
			default:
				problem(t, err, "id-token-invalid", claim)
			}
		})
	}
}

func TestAnIDTokenThatIsOldOrLacksItsTimeIsRefusedWhereAnAgeIsAsked(t *testing.T) {
	f, p := newFake(t)
	f.bend = func(c map[string]any) { c["iat"] = f.clock.Now().Add(-11 * time.Minute).Unix() }
	_, err := f.login(p, relyingparty.Wish{})
	problem(t, err, "id-token-invalid", "iat")
	f.bend = func(c map[string]any) { delete(c, "auth_time") }
	_, err = f.login(p, relyingparty.Wish{MaxAge: time.Minute})
	problem(t, err, "id-token-invalid", "auth_time")
	f.bend = func(c map[string]any) { c["auth_time"] = f.clock.Now().Add(-3 * time.Minute).Unix() }
	_, err = f.login(p, relyingparty.Wish{MaxAge: time.Minute})
	problem(t, err, "id-token-invalid", "auth_time")
}

// The algorithm is pinned: not "none", not an HMAC over the public key, not RSA.
func TestOnlyES256Counts(t *testing.T) {
	f, p := newFake(t)
	part := func(v any) string {
		b, err := json.Marshal(v)
		must(t, err)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	public, err := x509.MarshalPKIXPublicKey(f.key.Public())
	must(t, err)
	for what, sign := range map[string]func(map[string]any) string{
		"none": func(c map[string]any) string { return part(map[string]any{"alg": "none"}) + "." + part(c) + "." },
		"hmac": func(c map[string]any) string {
			return signed(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), f.keyID, c)
		},
		"stranger": func(c map[string]any) string { return signed(t, jose.ES256, key(t), f.keyID, c) },
		"unnamed":  func(c map[string]any) string { return signed(t, jose.ES256, f.key, "", c) },
		"unknown":  func(c map[string]any) string { return signed(t, jose.ES256, f.key, "two", c) },
		"embedded": func(c map[string]any) string {
			own := key(t)
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: own}, (&jose.SignerOptions{EmbedJWK: true}).WithHeader("kid", f.keyID))
			must(t, err)
			b, err := json.Marshal(c)
			must(t, err)
			w, err := s.Sign(b)
			must(t, err)
			raw, err := w.CompactSerialize()
			must(t, err)
			return raw
		},
		"nothing": func(map[string]any) string { return "" },
	} {
		f.sign = sign
		if _, err := f.login(p, relyingparty.Wish{}); err == nil || warifu.ProblemOf(err).Problem != "id-token-invalid" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestARotatedKeyIsFetchedAndAWithdrawnOneForgotten(t *testing.T) {
	f, p := newFake(t)
	start := warifu.SystemClock{}.Now()
	at := start
	f.clock = warifu.ClockFunc(func() time.Time { return at })
	for range 3 {
		_, err := f.login(p, relyingparty.Wish{})
		must(t, err)
	}
	if f.keysRead != 1 {
		t.Errorf("keys were read %d times", f.keysRead)
	}
	old := f.key
	f.key, f.keyID = key(t), "two"
	_, err := f.login(p, relyingparty.Wish{})
	must(t, err)
	f.sign = func(c map[string]any) string { return signed(t, jose.ES256, old, "one", c) }
	_, err = f.login(p, relyingparty.Wish{})
	problem(t, err, "id-token-invalid", "kid")
	// Withdrawn without a new one in use: believed ten minutes at most.
	f.sign = func(c map[string]any) string { return signed(t, jose.ES256, f.key, "two", c) }
	_, err = f.login(p, relyingparty.Wish{})
	must(t, err)
	gone := f.key
	f.key, f.keyID = key(t), "three"
	f.sign = func(c map[string]any) string { return signed(t, jose.ES256, gone, "two", c) }
	at = start.Add(11 * time.Minute)
	_, err = f.login(p, relyingparty.Wish{})
	problem(t, err, "id-token-invalid", "kid")
}

func TestWhatTheBrowserBringsBackMustBeOfThisLogin(t *testing.T) {
	f, p := newFake(t)
	other, err := p.Begin(t.Context(), relyingparty.Wish{})
	must(t, err)
	begun, err := p.Begin(t.Context(), relyingparty.Wish{})
	must(t, err)
	back := f.back()
	stranger := f.open(nil)
	with := func(name string, values ...string) url.Values {
		v := url.Values{}
		for k := range back {
			v[k] = back[k]
		}
		v[name] = values
		if len(values) == 0 {
			delete(v, name)
		}
		return v
	}
	for _, c := range []struct {
		party      *relyingparty.Party
		back       url.Values
		state      string
		slug, what string
	}{
		{p, back, "", "login-state", ""},
		{p, back, strings.Repeat("A", 5000), "login-state", ""},
		{p, back, "é", "login-state", ""},
		{p, back, begun.State[:len(begun.State)-4] + "AAAA", "login-state", ""},
		{p, back, other.State, "login-state", ""},
		{stranger, back, begun.State, "login-state", ""},
		{p, with("state"), begun.State, "login-state", ""},
		{p, with("state", "a", "b"), begun.State, "login-answer", "state"},
		{p, with("code", "a", "b"), begun.State, "login-answer", "code"},
	} {
		_, err := c.party.Finish(t.Context(), c.back, c.state)
		problem(t, err, c.slug, c.what)
	}
	_, err = p.Finish(t.Context(), back, begun.State)
	must(t, err)
	_, err = p.Finish(t.Context(), back, begun.State)
	problem(t, err, "login-state", "")
	for name, c := range map[string]struct {
		values     []string
		slug, what string
	}{
		"iss":   {[]string{"https://other.example"}, "login-answer", "iss"},
		"error": {[]string{"access_denied"}, "login-refused", "access_denied"},
		"code":  {nil, "login-answer", "code"},
	} {
		begun, err := p.Begin(t.Context(), relyingparty.Wish{})
		must(t, err)
		back = f.back()
		_, err = p.Finish(t.Context(), with(name, c.values...), begun.State)
		problem(t, err, c.slug, c.what)
	}
	begun, err = p.Begin(t.Context(), relyingparty.Wish{})
	must(t, err)
	back = f.back()
	_, err = p.Finish(t.Context(), with("iss"), begun.State) // the provider says that it tells its name
	problem(t, err, "login-answer", "iss")
}

func TestALoginThatTookTooLongIsOver(t *testing.T) {
	f, p := newFake(t)
	begun, err := p.Begin(t.Context(), relyingparty.Wish{})
	must(t, err)
	late := warifu.SystemClock{}.Now().Add(16 * time.Minute)
	f.clock = warifu.ClockFunc(func() time.Time { return late })
	_, err = p.Finish(t.Context(), f.back(), begun.State)
	problem(t, err, "login-state", "")
}

// Two processes of one site share a key and with it the logins under way.
func TestProcessesThatShareAStateKeyShareLogins(t *testing.T) {
	f, _ := newFake(t)
	same := func(c *relyingparty.Config) { c.StateKey = [32]byte{1} }
	begun, err := f.open(same).Begin(t.Context(), relyingparty.Wish{})
	must(t, err)
	_, err = f.open(same).Finish(t.Context(), f.back(), begun.State)
	must(t, err)
	another := f.open(func(c *relyingparty.Config) { c.StateKey, c.ClientID = [32]byte{1}, "RP00000009" })
	_, err = another.Finish(t.Context(), f.back(), begun.State)
	problem(t, err, "login-state", "")
}

func TestWhoDemandsACardTakesNoPhone(t *testing.T) {
	f, p := newFake(t)
	_, err := f.login(p, relyingparty.Wish{ACR: []string{"aal3", relyingparty.DemandCard}})
	problem(t, err, "login-class", "card")
	f.bend = func(c map[string]any) { c["warifu_class"] = "card" }
	_, err = f.login(p, relyingparty.Wish{ACR: []string{relyingparty.DemandCard}})
	must(t, err)
	_, err = f.login(p, relyingparty.Wish{ACR: []string{relyingparty.DemandPhone}})
	problem(t, err, "login-class", "phone")
}

func TestTamperedAttributesAndASwappedSubjectAreRefused(t *testing.T) {
	f, p := newFake(t)
	login, err := f.login(p, relyingparty.Wish{})
	must(t, err)
	f.userinfo = func(told map[string]any) { told["sub"] = "somebody else" }
	_, err = p.UserInfo(t.Context(), login)
	problem(t, err, "userinfo-subject", "")
	f.userinfo = func(told map[string]any) { delete(told, "sub") }
	_, err = p.UserInfo(t.Context(), login)
	problem(t, err, "userinfo-subject", "")
	f.bend = func(c map[string]any) { c["sub"] = "somebody else" }
	_, err = p.Refresh(t.Context(), login)
	problem(t, err, "id-token-invalid", "sub")
}

func TestAProviderThatIsNotWhoWasConfiguredIsNotBelieved(t *testing.T) {
	for what, value := range map[string]string{"issuer": "https://other.example", "token_endpoint": "", "jwks_uri": "/keys"} {
		f, p := newFake(t)
		f.document = func(d map[string]any) { d[what] = value }
		_, err := p.Begin(t.Context(), relyingparty.Wish{})
		problem(t, err, "provider-answer", what)
		f.document = nil // it is asked again, not remembered wrong
		_, err = p.Begin(t.Context(), relyingparty.Wish{})
		must(t, err)
	}
}

func TestTheProvidersRefusalIsToldAndItsAbsenceToo(t *testing.T) {
	f, p := newFake(t)
	f.refuse = func(w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadRequest)
		f.json(w, map[string]any{"error": "invalid_grant", "error_description": "the code is spent"})
		return true
	}
	_, err := f.login(p, relyingparty.Wish{})
	problem(t, err, "provider-refused", "invalid_grant")
	f.refuse = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true }
	_, err = f.login(p, relyingparty.Wish{})
	problem(t, err, "provider-unreachable", "")
	f.refuse = func(w http.ResponseWriter) bool { _, _ = w.Write(bytes.Repeat([]byte(" "), 2<<20)); return true }
	_, err = f.login(p, relyingparty.Wish{})
	problem(t, err, "provider-answer", "length")
	f.refuse = func(w http.ResponseWriter) bool {
		w.Header().Set("Location", "/keys")
		w.WriteHeader(http.StatusFound)
		return true
	}
	_, err = f.login(p, relyingparty.Wish{})
	problem(t, err, "provider-refused", "302 Found") // a redirection would carry the assertion elsewhere
	f.refuse = nil
	f.answer = func(a map[string]any) { a["token_type"] = "DPoP" }
	_, err = f.login(p, relyingparty.Wish{})
	problem(t, err, "provider-answer", "access_token")
	f.site.Close()
	_, err = p.Begin(t.Context(), relyingparty.Wish{})
	problem(t, err, "provider-unreachable", "")
}

func TestAConfigurationThatCannotWorkIsRefusedAtOnce(t *testing.T) {
	good := relyingparty.Config{Issuer: "https://op.example/api/realms/main", ClientID: client, Key: key(t), RedirectURI: callback}
	for what, change := range map[string]func(*relyingparty.Config){
		"Issuer":      func(c *relyingparty.Config) { c.Issuer = "op.example" },
		"ClientID":    func(c *relyingparty.Config) { c.ClientID = "" },
		"Key":         func(c *relyingparty.Config) { c.Key = nil },
		"RedirectURI": func(c *relyingparty.Config) { c.RedirectURI = callback + "#x" },
	} {
		c := good
		change(&c)
		_, err := relyingparty.Open(t.Context(), c)
		problem(t, err, "relying-party-config", what)
	}
}

func TestAKeyIsReadAsPEMAndAsJWK(t *testing.T) {
	k := key(t)
	sec1, err := x509.MarshalECPrivateKey(k)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	must(t, err)
	jwk, err := json.Marshal(jose.JSONWebKey{Key: k})
	must(t, err)
	for _, b := range [][]byte{
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), jwk,
	} {
		read, err := relyingparty.LoadKey(b)
		must(t, err)
		if !k.Equal(read) {
			t.Errorf("%s", b)
		}
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: k.Public()})
	must(t, err)
	for _, b := range [][]byte{nil, []byte("{}"), public, bytes.Repeat([]byte("x"), 1<<17), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})} {
		_, err := relyingparty.LoadKey(b)
		problem(t, err, "relying-party-key", "")
	}
	var set jose.JSONWebKeySet
	must(t, json.Unmarshal(relyingparty.JWKS(k, key(t)), &set))
	if len(set.Keys) != 2 || set.Keys[0].Use != "sig" || set.Keys[1].Use != "enc" || !set.Keys[0].IsPublic() || set.Keys[0].KeyID == "" || set.Keys[1].Algorithm != "ECDH-ES+A256KW" {
		t.Errorf("%+v", set)
	}
	if !k.PublicKey.Equal(set.Keys[0].Key.(*ecdsa.PublicKey)) {
		t.Error("another key")
	}
}

func FuzzLoadKey(f *testing.F) {
	f.Add([]byte(`{"kty":"EC","crv":"P-256","x":"","y":"","d":""}`))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := relyingparty.LoadKey(b); err == nil && k.Public() == nil {
			t.Error("a key without its half")
		}
	})
}

func FuzzFinish(f *testing.F) {
	p, err := relyingparty.Open(f.Context(), relyingparty.Config{Issuer: "http://127.0.0.1:1/x", ClientID: client, Key: must1(relyingparty.NewKey()), RedirectURI: callback, StateKey: [32]byte{7}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("code=a&state=b&iss=c", "AAAA")
	f.Fuzz(func(t *testing.T, query, state string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if login, err := p.Finish(t.Context(), v, state); err == nil || login != nil {
			t.Error("logged in by guessing")
		}
	})
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
