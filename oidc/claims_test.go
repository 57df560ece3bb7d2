package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"warifu"
	"warifu/internal/housetest"
	provider "warifu/oidc"
	"warifu/phone"
)

// Every address that discovery names answers, and what it says is what is done.
func TestDiscoveryIsCompleteAndTrue(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for _, at := range []string{housetest.Origin, issuer} {
		a := w.do(http.MethodGet, at+"/.well-known/openid-configuration", nil, nil)
		m := a.json()
		if a.Code != http.StatusOK || a.Header().Get("Content-Type") != "application/json" || m["issuer"] != issuer {
			t.Fatalf("%d %v", a.Code, m)
		}
		for name, value := range m {
			address, is := value.(string)
			if !is || !strings.HasPrefix(address, issuer+"/protocol/") {
				continue
			}
			r := httptest.NewRequest(http.MethodDelete, address, nil)
			if got := w.serve(r).Code; got != http.StatusMethodNotAllowed {
				t.Errorf("%s: nothing answers at %s: %d", name, address, got)
			}
		}
		if m["request_uri_parameter_supported"] != false || m["claims_parameter_supported"] != false || m["authorization_response_iss_parameter_supported"] != true {
			t.Errorf("%v", m)
		}
		if scopes := m["scopes_supported"].([]any); slices.Contains(scopes, any("sign")) || len(scopes) != 5 {
			t.Errorf("%v", scopes)
		}
	}
	// As a library of others reads it.
	ctx := oidc.ClientContext(ctx, &http.Client{Transport: housetest.InProcess{Handler: w.provider}})
	found, err := oidc.NewProvider(ctx, issuer)
	must(t, err)
	token := w.login(w.ask(bank))
	checked, err := found.VerifierContext(ctx, &oidc.Config{ClientID: bank, SupportedSigningAlgs: []string{"ES256"}, Now: w.Clock.Now}).Verify(ctx, token.id)
	must(t, err)
	must(t, checked.VerifyAccessToken(token.access))
	if checked.Nonce != "a-nonce" {
		t.Errorf("%+v", checked)
	}
}

func TestEachSectorKnowsAPersonByAnotherNameForGood(t *testing.T) {
	w := newTown(t, housetest.Options{})
	sub := func(client string) string {
		t.Helper()
		s, _ := w.claims(w.login(w.ask(client)).id)["sub"].(string)
		return s
	}
	first := sub(bank)
	if len(first) != 43 || first != sub(bank) || first == sub(shop) {
		t.Fatal(first)
	}
	// Another phone of the same person: the older device's credentials are superseded.
	w.phone = w.Phone(t)
	w.phone.Own(t, person)
	if sub(bank) != first {
		t.Error("with another phone somebody else")
	}
	for _, id := range []string{bank, shop} {
		c := w.clients[id]
		c.Sector = "one.example"
		w.clients[id] = c
	}
	if shared := sub(bank); shared != sub(shop) || shared == first {
		t.Error("a sector does not share")
	}
	w.phone = w.PhoneOf(t, housetest.OtherModel)
	w.phone.Own(t, "hanako")
	if sub(bank) == first {
		t.Error("another person has the same name")
	}
}

func TestAttributesAreToldInTheClientsFormats(t *testing.T) {
	w := newTown(t, housetest.Options{})
	ask := func() map[string]any {
		return w.userinfo(w.login(w.ask(bank, "scope", "openid name address birthdate gender"), "name", "address", "birthdate", "gender").access).json()
	}
	iso := ask()
	c := w.clients[bank]
	c.BirthdateFormat, c.GenderFormat = provider.FormatCompact, provider.FormatNumber
	w.clients[bank] = c
	compact := ask()
	date, _ := iso["birthdate"].(string)
	if len(date) != 10 || strings.ReplaceAll(date, "-", "") != compact["birthdate"] {
		t.Errorf("%v %v", iso["birthdate"], compact["birthdate"])
	}
	if word := map[any]any{"1": "male", "2": "female"}[compact["gender"]]; word == nil || iso["gender"] != word {
		t.Errorf("%v %v", iso["gender"], compact["gender"])
	}
	address, _ := iso["address"].(map[string]any)
	if address["formatted"] == "" || iso["name"] == "" || iso["warifu_missing"] != nil {
		t.Errorf("%v", iso)
	}
	for _, told := range []any{iso["name"], date, address["formatted"]} {
		if strings.Contains(w.Log.String(), told.(string)) {
			t.Error("the log tells an attribute")
		}
	}
}

// A client is told what the person agreed to, and only while there is a good certificate that
// says it.
func TestOnlyWhatWasAgreedToIsToldAndWhileItIsGood(t *testing.T) {
	w := newTown(t, housetest.Options{})
	nothing := w.login(w.ask(bank, "scope", "openid name address"))
	if info := w.userinfo(nothing.access).json(); len(info) != 1 || nothing.scope != "openid" {
		t.Errorf("%v, scope %q", info, nothing.scope)
	}
	some := w.login(w.ask(bank, "scope", "openid name address"), "address")
	if info := w.userinfo(some.access).json(); info["name"] != nil || info["address"] == nil || len(info) != 2 {
		t.Errorf("%v", info)
	}
	_, err := w.phone.App.Revoke(ctx, []warifu.Kind{warifu.Signature}, phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
	must(t, err)
	info := w.userinfo(some.access).json()
	if info["address"] != nil || info["sub"] == nil || len(info["warifu_missing"].([]any)) != 1 {
		t.Errorf("%v", info)
	}
	at := w.begin(w.ask(bank, "scope", "openid name"))
	done, err := w.provider.Answer(ctx, at.login, openPhone(t, w.phone).answers(t, w.question(at.login, provider.WayApp), "name"))
	must(t, err)
	if !slices.Equal(done.Missing, []string{"name"}) {
		t.Errorf("%v", done.Missing)
	}
}

func TestTheIDTokenSaysHowTheKeyWasOpened(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for activation, acr := range map[string]string{provider.ActivationPIN: "aal3", provider.ActivationScreenLock: "aal2", provider.ActivationPassword: "aal3"} {
		at := w.begin(w.ask(bank))
		a := openPhone(t, w.phone).answers(t, w.question(at.login, provider.WayQR))
		a.Activation = activation
		v, err := w.provider.View(ctx, at.login, at.cookie)
		must(t, err)
		a.Number = v.Number
		_, err = w.provider.Answer(ctx, at.login, a)
		must(t, err)
		redirect, err := w.provider.Finish(ctx, at.login, at.cookie, "")
		must(t, err)
		_, code, _ := strings.Cut(redirect, "code=")
		code, _, _ = strings.Cut(code, "&")
		c := w.claims(w.exchange(bank, code).tokens().id)
		if c["warifu_activation"] != activation || c["acr"] != acr || !slices.Contains(c["amr"].([]any), any("hwk")) {
			t.Errorf("%s: %v", activation, c)
		}
	}
}

func TestAPageOfAnotherSiteMayReadWhatNoCookieOpens(t *testing.T) {
	w := newTown(t, housetest.Options{})
	r := httptest.NewRequest(http.MethodOptions, infoURL, nil)
	if a := w.serve(r); a.Code != http.StatusNoContent || a.Header().Get("Access-Control-Allow-Origin") != "*" || a.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	if a := w.do(http.MethodGet, authURL, w.ask(bank), nil); a.Header().Get("Access-Control-Allow-Origin") != "" || a.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", a.Header())
	}
	if a := w.do(http.MethodGet, issuer+"/nowhere", nil, nil); a.Code != http.StatusNotFound {
		t.Error(a.Code)
	}
}
