package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu/internal/housetest"
	"warifu/oidc"
)

// publisher is a relying party's jwks_uri.
type publisher struct {
	mu      sync.Mutex
	body    []byte
	status  int
	fetched int
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetched++
	if p.status != 0 {
		w.WriteHeader(p.status)
		return
	}
	_, _ = w.Write(p.body)
}

func (p *publisher) publish(t testing.TB, keys ...jose.JSONWebKey) {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	must(t, err)
	p.say(0, b)
}

func (p *publisher) say(status int, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.body = status, b
}

func (p *publisher) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetched
}

// byAddress makes the bank publish its keys.
func byAddress(t *testing.T) (*town, *publisher) {
	t.Helper()
	w := newTown(t, housetest.Options{})
	p := &publisher{}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	c := w.clients[bank]
	c.JWKS, c.JWKSURI = jose.JSONWebKeySet{}, s.URL+"/jwks.json"
	w.clients[bank] = c
	w.config.HTTP, w.config.Plain = s.Client(), true
	w.open()
	return w, p
}

// known tells whether the provider takes an assertion by the client's present key.
func (w *town) known() int {
	w.t.Helper()
	return w.do(http.MethodPost, revokeURL, w.by(bank, "token", "x"), nil).Code
}

func TestAClientsKeysAreFetchedKeptAndFetchedAgainForAKeyThatIsNew(t *testing.T) {
	w, p := byAddress(t)
	old := w.keys[bank]
	p.publish(t, jose.JSONWebKey{Key: old.Public(), KeyID: bank, Use: "sig"})
	for range 3 {
		if got := w.known(); got != http.StatusOK {
			t.Fatal(got)
		}
	}
	if p.times() != 1 {
		t.Errorf("fetched %d times", p.times())
	}
	// The client changes its key: the new kid is looked for, but not again and again.
	w.keys[bank] = newKey(t)
	p.publish(t, jose.JSONWebKey{Key: w.keys[bank].Public(), KeyID: "second", Use: "sig"})
	second := func(kid string) int {
		text := w.assertionBy(w.keys[bank], jose.ES256, kid, bank, nil)
		return w.do(http.MethodPost, revokeURL, w.by(bank, "token", "x", "client_assertion", text), nil).Code
	}
	if got := second("second"); got != http.StatusUnauthorized {
		t.Errorf("a second fetch at once: %d", got)
	}
	w.Clock.Forward(31 * time.Second)
	if got := second("second"); got != http.StatusOK || p.times() != 2 {
		t.Errorf("%d after %d fetches", got, p.times())
	}
	for range 50 {
		if got := second("unheard-of"); got != http.StatusUnauthorized {
			t.Error(got)
		}
	}
	if p.times() != 2 {
		t.Errorf("unknown kids had it fetched %d times", p.times())
	}
}

func TestAClientsKeysServeAWhileWhereTheyCannotBeFetched(t *testing.T) {
	w, p := byAddress(t)
	p.say(http.StatusServiceUnavailable, nil)
	w.do(http.MethodPost, revokeURL, w.by(bank, "token", "x"), nil).refuses(http.StatusUnauthorized, "invalid_client")
	p.publish(t, jose.JSONWebKey{Key: w.keys[bank].Public(), KeyID: bank})
	w.Clock.Forward(time.Minute)
	if got := w.known(); got != http.StatusOK {
		t.Fatal(got)
	}
	p.say(http.StatusServiceUnavailable, nil)
	w.Clock.Forward(23 * time.Hour)
	if got := w.known(); got != http.StatusOK {
		t.Error(got)
	}
	w.Clock.Forward(time.Hour)
	if got := w.known(); got != http.StatusUnauthorized {
		t.Error(got)
	}
}

func TestAKeySetThatIsNoneHelpsNobody(t *testing.T) {
	w, p := byAddress(t)
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: w.keys[bank], KeyID: bank}}})
	must(t, err)
	for name, body := range map[string][]byte{
		"empty": nil, "no JSON": []byte("<html>"), "no keys": []byte(`{"keys":[]}`), "a private key": private,
		"symmetric":     []byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"` + bank + `"}]}`),
		"far too large": []byte(`{"keys":[],"x":"` + strings.Repeat("x", 70<<10) + `"}`),
		"far too many":  []byte(`{"keys":[` + strings.Repeat("{},", 60) + `{}]}`),
	} {
		p.say(0, body)
		w.Clock.Forward(2 * time.Hour)
		if got := w.known(); got != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got)
		}
	}
	// One that we do not understand does not spoil the others.
	public, err := json.Marshal(jose.JSONWebKey{Key: w.keys[bank].Public(), KeyID: bank})
	must(t, err)
	p.say(0, []byte(`{"keys":[{"kty":"XYZ"},`+string(public)+`]}`))
	w.Clock.Forward(2 * time.Hour)
	if got := w.known(); got != http.StatusOK {
		t.Error(got)
	}
}

func TestAKeyServesItsUseAndItsAlgorithm(t *testing.T) {
	w := newTown(t, housetest.Options{})
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	try := func(k jose.JSONWebKey, by any, algorithm jose.SignatureAlgorithm) int {
		c := w.clients[bank]
		c.JWKS = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k}}
		w.clients[bank] = c
		return w.do(http.MethodPost, revokeURL, w.by(bank, "token", "x", "client_assertion", w.assertionBy(by, algorithm, bank, bank, nil)), nil).Code
	}
	ec := w.keys[bank]
	for name, c := range map[string]struct {
		got, want int
	}{
		"RS256":                 {try(jose.JSONWebKey{Key: strong.Public(), KeyID: bank}, strong, jose.RS256), 200},
		"PS256":                 {try(jose.JSONWebKey{Key: strong.Public(), KeyID: bank}, strong, jose.PS256), 200},
		"PS384":                 {try(jose.JSONWebKey{Key: strong.Public(), KeyID: bank}, strong, jose.PS384), 401},
		"another algorithm":     {try(jose.JSONWebKey{Key: strong.Public(), KeyID: bank, Algorithm: "PS256"}, strong, jose.RS256), 401},
		"a key for encrypting":  {try(jose.JSONWebKey{Key: ec.Public(), KeyID: bank, Use: "enc"}, ec, jose.ES256), 401},
		"a key of another name": {try(jose.JSONWebKey{Key: ec.Public(), KeyID: "other"}, ec, jose.ES256), 401},
		"a key without a name":  {try(jose.JSONWebKey{Key: ec.Public()}, ec, jose.ES256), 401},
		"the key":               {try(jose.JSONWebKey{Key: ec.Public(), KeyID: bank}, ec, jose.ES256), 200},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
}

func published(w *town) map[string]bool {
	w.t.Helper()
	var set jose.JSONWebKeySet
	must(w.t, json.Unmarshal(w.do(http.MethodGet, keysURL, nil, nil).Body.Bytes(), &set))
	out := map[string]bool{}
	for _, k := range set.Keys {
		if !k.IsPublic() || k.Algorithm != "ES256" || k.Use != "sig" {
			w.t.Errorf("%+v", k)
		}
		out[k.KeyID] = true
	}
	return out
}

func TestSigningKeysFollowEachOther(t *testing.T) {
	w := newTown(t, housetest.Options{})
	keys := w.config.Keys
	if _, due := oidc.KeyDue(keys, w.Clock.Now().Add(oidc.KeyLife-time.Second)); due {
		t.Error("due too early")
	}
	before := w.login(w.ask(bank))
	first := published(w)
	w.Clock.Forward(oidc.KeyLife)
	from, due := oidc.KeyDue(keys, w.Clock.Now())
	if !due || !from.Equal(w.Clock.Now().Add(oidc.KeyLead)) {
		t.Fatal("the next key is not due")
	}
	keys = append(keys, oidc.SigningKey{Key: newKey(t), From: from})
	must(t, w.provider.SetKeys(keys))
	if _, due := oidc.KeyDue(keys, w.Clock.Now().Add(oidc.KeyLead)); due {
		t.Error("another one at once")
	}
	if len(published(w)) != 2 || len(first) != 1 {
		t.Error("the next key is not published ahead")
	}
	early := w.login(w.ask(bank))
	w.Clock.Forward(oidc.KeyLead)
	late := w.login(w.ask(bank))
	if w.kid(before.id) != w.kid(early.id) || w.kid(early.id) == w.kid(late.id) {
		t.Error("the keys do not sign in turn")
	}
	w.claims(early.id) // still checks
	w.Clock.Forward(25 * time.Hour)
	if left := published(w); len(left) != 1 || left[w.kid(before.id)] {
		t.Errorf("%v", left)
	}
	if w.provider.SetKeys(nil) == nil {
		t.Error("no key at all is fine")
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	if w.provider.SetKeys([]oidc.SigningKey{{Key: other}}) == nil {
		t.Error("an RSA key is fine")
	}
}

func (w *town) kid(token string) string {
	w.t.Helper()
	s, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	must(w.t, err)
	return s.Signatures[0].Header.KeyID
}
