package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/oidc"
)

func TestALoginWithAPhoneFromTheRequestToTheAttributes(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank, "scope", "openid name address birthdate gender"))
	q, err := w.provider.Question(ctx, at.login, oidc.WayApp)
	must(t, err)
	if q.Client.ID != bank || q.Client.Origin != "https://bank.example" || q.Client.Name.English == "" || len(q.Numbers) != 0 ||
		!slices.Equal(q.Attributes, []string{"name", "address", "birthdate", "gender"}) || len(q.Salt) != 32 || q.Demands != "" {
		t.Fatalf("%+v", q)
	}
	waits := w.provider.Wait(ctx, at.login)
	back := w.approve(at.login, "name", "birthdate", "gender")
	if !sleepless(waits) {
		t.Fatal("nobody was woken")
	}
	v, err := w.provider.View(ctx, at.login, at.cookie)
	must(t, err)
	if v.State != oidc.Approved || v.Way != oidc.WayApp || v.Number != "" {
		t.Errorf("%+v", v)
	}
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, back)
	must(t, err)
	u, err := url.Parse(redirect)
	must(t, err)
	got := u.Query()
	if u.Scheme+"://"+u.Host+u.Path != bankBack || got.Get("state") != "a state" || got.Get("iss") != issuer || got.Get("session_state") == "" {
		t.Errorf("%s", redirect)
	}
	tokens := w.exchange(bank, got.Get("code")).tokens()
	if tokens.scope != "openid name birthdate gender" {
		t.Errorf("scope %q", tokens.scope)
	}
	c := w.claims(tokens.id)
	hash := sha256.Sum256([]byte(tokens.access))
	for name, want := range map[string]any{
		"iss": issuer, "aud": bank, "azp": bank, "nonce": "a-nonce", "acr": "aal3", "warifu_class": "phone", "warifu_activation": "pin",
		"at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]), "sid": got.Get("session_state"), "auth_time": float64(w.Clock.Now().Unix()),
		"exp": float64(w.Clock.Now().Add(10 * time.Minute).Unix()),
	} {
		if c[name] != want {
			t.Errorf("%s: %v, want %v", name, c[name], want)
		}
	}
	info := w.userinfo(tokens.access).json()
	if info["sub"] != c["sub"] || info["name"] == nil || info["address"] != nil || len(info["birthdate"].(string)) != 10 || info["gender"] == nil {
		t.Errorf("%v", info)
	}
	lines := w.lines()
	if len(lines) != 2 || lines[0].What != ledger.LoggedIn || lines[0].By != bank || lines[0].Class != "phone" || lines[0].Result != "good" ||
		lines[1].What != ledger.Told || lines[1].Result != "name,birthdate,gender" {
		t.Errorf("%+v", lines)
	}
	w.userinfo(tokens.access)
	if len(w.lines()) != 2 {
		t.Error("telling the same again is another line")
	}
}

func TestALoginOnAnotherDeviceTakesTheNumber(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank))
	q, err := w.provider.Question(ctx, at.login, oidc.WayQR)
	must(t, err)
	again, err := w.provider.Question(ctx, at.login, oidc.WayQR)
	must(t, err)
	v, err := w.provider.View(ctx, at.login, at.cookie)
	must(t, err)
	if len(q.Numbers) != 3 || !slices.IsSorted(q.Numbers) || !slices.Equal(q.Numbers, again.Numbers) || !slices.Contains(q.Numbers, v.Number) {
		t.Fatalf("%v %v %s", q.Numbers, again.Numbers, v.Number)
	}
	a := openPhone(t, w.phone).answers(t, q)
	a.Number = v.Number
	done, err := w.provider.Answer(ctx, at.login, a)
	must(t, err)
	if done.Return != "" {
		t.Error("the other device was told an address")
	}
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, "")
	must(t, err)
	u, _ := url.Parse(redirect)
	w.exchange(bank, u.Query().Get("code")).tokens()
}

func TestALoginWithTheCardAtAReader(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank, "scope", "openid name", "acr_values", "urn:warifu:class:card"))
	k, attributes := w.openCard(person)
	q, err := w.provider.Question(ctx, at.login, oidc.WayApp)
	must(t, err)
	if q.Demands != oidc.ClassCard {
		t.Errorf("%+v", q)
	}
	a := k.answers(t, q, "name")
	a.AttributesFrom = attributes
	done, err := w.provider.Answer(ctx, at.login, a)
	must(t, err)
	back, _ := url.Parse(done.Return)
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, back.Query().Get("return"))
	must(t, err)
	u, _ := url.Parse(redirect)
	tokens := w.exchange(bank, u.Query().Get("code")).tokens()
	c := w.claims(tokens.id)
	if c["warifu_class"] != "card" || c["warifu_activation"] != "pin" || c["acr"] != "aal3" {
		t.Errorf("%v", c)
	}
	if info := w.userinfo(tokens.access).json(); info["name"] == nil {
		t.Errorf("%v", info)
	}
	// The same person with the phone is the same subject.
	other := w.login(w.ask(bank))
	if w.claims(other.id)["sub"] != c["sub"] {
		t.Error("card and phone of one person are two subjects")
	}
	w.refresh(bank, tokens.refresh).tokens()
}

func TestAPushedRequestIsTakenUpOnce(t *testing.T) {
	w := newTown(t, housetest.Options{})
	form := w.ask(bank, "client_assertion_type", jwtBearer, "client_assertion", w.assertion(bank, nil))
	a := w.do(http.MethodPost, pushURL, form, nil)
	if a.Code != http.StatusCreated {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	uri := a.json()["request_uri"].(string)
	at := w.begin(url.Values{"client_id": {bank}, "request_uri": {uri}})
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, w.approve(at.login))
	must(t, err)
	u, _ := url.Parse(redirect)
	w.exchange(bank, u.Query().Get("code")).tokens()
	w.do(http.MethodGet, authURL, url.Values{"client_id": {bank}, "request_uri": {uri}}, nil).page(http.StatusBadRequest)
}
