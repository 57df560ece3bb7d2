package oidc_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/ledger"
	"warifu/oidc"
)

func clientKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func goodClient(t testing.TB) oidc.Client {
	return oidc.Client{
		ID: "RP00000001", Name: ledger.Name{Japanese: "銀行", English: "Bank"}, RedirectURIs: []string{"https://bank.example/callback", "http://127.0.0.1:3000/callback"},
		JWKS: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: clientKey(t, elliptic.P256()).Public(), Use: "sig"}}}, Scopes: []string{"name", "sign"},
	}
}

func TestAnEntryThatMayNotBeIsNamedByItsField(t *testing.T) {
	good := goodClient(t)
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	key := clientKey(t, elliptic.P256())
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	with := func(k ...jose.JSONWebKey) func(*oidc.Client) {
		return func(c *oidc.Client) { c.JWKS.Keys = k }
	}
	redirect := func(uris ...string) func(*oidc.Client) {
		return func(c *oidc.Client) { c.RedirectURIs = uris }
	}
	for _, c := range []struct {
		fault  string
		change func(*oidc.Client)
	}{
		{"id", func(c *oidc.Client) { c.ID = "RP1" }},
		{"id", func(c *oidc.Client) { c.ID = "" }},
		{"name", func(c *oidc.Client) { c.Name.English = "" }},
		{"name", func(c *oidc.Client) { c.Name.English = "Bank\u202e" }},
		{"name", func(c *oidc.Client) { c.Name.English = strings.Repeat("x", 300) }},
		{"redirect_uris", redirect()},
		{"redirect_uris", redirect("https://a.example/", "https://a.example/")},
		{"redirect_uris", redirect("http://bank.example/callback")},
		{"redirect_uris", redirect("https://bank.example/callback#x")},
		{"redirect_uris", redirect("https://user@bank.example/callback")},
		{"redirect_uris", redirect("https://bank.example\\@evil.example/")},
		{"redirect_uris", redirect("javascript:alert(1)")},
		{"redirect_uris", redirect("/callback")},
		{"redirect_uris", redirect("https:///callback")},
		{"redirect_uris", redirect("https://bank.example/call back")},
		{"redirect_uris", redirect("https://bank.example/" + strings.Repeat("x", 500))},
		{"sector", func(c *oidc.Client) { c.Sector = "a b" }},
		{"jwks", func(c *oidc.Client) { c.JWKS.Keys = nil }},
		{"jwks", func(c *oidc.Client) { c.JWKSURI = "https://bank.example/jwks.json" }},
		{"jwks_uri", func(c *oidc.Client) { c.JWKS.Keys, c.JWKSURI = nil, "http://bank.example/jwks.json" }},
		{"scopes", func(c *oidc.Client) { c.Scopes = []string{"my-number"} }},
		{"scopes", func(c *oidc.Client) { c.Scopes = []string{"name", "name"} }},
		{"birthdate_format", func(c *oidc.Client) { c.BirthdateFormat = "era" }},
		{"gender_format", func(c *oidc.Client) { c.GenderFormat = "kanji" }},
		{"jwks: a private or broken key", with(jose.JSONWebKey{Key: key})},
		{"jwks: a curve that is not P-256", with(jose.JSONWebKey{Key: clientKey(t, elliptic.P384()).Public()})},
		{"jwks: a private or broken key", with(jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef")})},
		{"jwks: neither EC nor RSA", with(jose.JSONWebKey{Key: ed})},
		{"jwks: no key that signs", with(jose.JSONWebKey{Key: key.Public(), Use: "enc"})},
	} {
		bad := good
		c.change(&bad)
		e := warifu.ProblemOf(bad.Check())
		if e == nil || e.Problem != "client-invalid" || e.Params["fault"] != c.fault {
			t.Errorf("wanted %s: %v", c.fault, e)
		}
	}
}

// Whoever sends a private key by mistake is told so, and it is not taken.
func TestAPrivateKeyIsNotTaken(t *testing.T) {
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: clientKey(t, elliptic.P256()), Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{b, nil, []byte("[]"), []byte(`{"keys":[]}`), []byte(strings.Repeat(" ", 40<<10))} {
		if _, err := oidc.ParseJWKS(bad); err == nil || warifu.ProblemOf(err).Problem != "client-keys-invalid" {
			t.Errorf("%.40s: %v", bad, err)
		}
	}
	b, err = json.Marshal(goodClient(t).JWKS)
	if err != nil {
		t.Fatal(err)
	}
	if set, err := oidc.ParseJWKS(b); err != nil || len(set.Keys) != 1 {
		t.Errorf("%v %v", set, err)
	}
}

func FuzzParseJWKS(f *testing.F) {
	b, err := json.Marshal(goodClient(f).JWKS)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		set, err := oidc.ParseJWKS(b)
		if err != nil {
			return
		}
		for _, k := range set.Keys {
			if !k.IsPublic() || !k.Valid() {
				t.Errorf("took %v", k)
			}
		}
	})
}
