package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu/internal/housetest"
)

// The tests in the hostile files are named after what they hold to: the rules of the OpenID
// Foundation's test plans for providers (oidcc-…, fapi2-…) and of RFC 9700.

// oidcc-redirect-uri-query-mismatch, -added, -regfrag; fapi2 ensure-redirect-uri-exact.
func TestARedirectURIThatIsNotRegisteredToTheLetterSendsNobodyAnywhere(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for name, address := range map[string]string{
		"none":               "",
		"another host":       "https://evil.example/callback",
		"path suffix":        bankBack + "/more",
		"path prefix":        "https://bank.example/call",
		"trailing slash":     bankBack + "/",
		"query":              bankBack + "?x=1",
		"empty query":        bankBack + "?",
		"fragment":           bankBack + "#x",
		"case of the path":   "https://bank.example/Callback",
		"case of the host":   "https://BANK.example/callback",
		"case of the scheme": "HTTPS://bank.example/callback",
		"plain http":         "http://bank.example/callback",
		"port":               "https://bank.example:443/callback",
		"dot segments":       "https://bank.example/x/../callback",
		"encoded":            "https://bank.example/%63allback",
		"encoded dots":       "https://bank.example/%2e%2e/callback",
		"somebody at":        "https://bank.example@evil.example/callback",
		"at the host":        "https://evil.example@bank.example/callback",
		"backslash":          `https://bank.example\@evil.example/callback`,
		"space before":       " " + bankBack,
		"space behind":       bankBack + " ",
		"new line":           bankBack + "\n",
		"null":               bankBack + "\x00",
		"other letters":      "https://bаnk.example/callback", // a Cyrillic letter
		"script":             "javascript:alert(1)",
		"another client's":   shopBack,
		"without its query":  "https://shop.example/callback",
		"far too long":       bankBack + strings.Repeat("x", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.do(http.MethodGet, authURL, w.ask(bank, "redirect_uri", address), nil).page(http.StatusBadRequest)
		})
	}
}

// RFC 9700 §4.1.3, RFC 8252 §7.3.
func TestALoopbackPortIsOpenOnlyWhereTheClientSaysSo(t *testing.T) {
	w := newTown(t, housetest.Options{})
	c := w.clients[bank]
	c.RedirectURIs = []string{"http://127.0.0.1/callback", "http://[::1]:1234/callback"}
	c.LoopbackPort = true
	w.clients[bank] = c
	for address, may := range map[string]bool{
		"http://127.0.0.1:49152/callback":        true,
		"http://127.0.0.1/callback":              true,
		"http://[::1]:49152/callback":            true,
		"http://127.0.0.1:0/callback":            false,
		"http://127.0.0.1:99999/callback":        false,
		"http://127.0.0.1:+80/callback":          false,
		"http://127.0.0.1:080/callback":          false,
		"http://127.0.0.1:/callback":             false,
		"http://127.0.0.1:49152/other":           false,
		"http://127.0.0.1:49152":                 false,
		"http://127.0.0.1:49152@x/callback":      false,
		"http://127.0.0.1.evil.example/callback": false,
		"http://127.0.0.1evil/callback":          false,
		"http://127.0.0.2:49152/callback":        false,
		"http://localhost:49152/callback":        false,
		"https://127.0.0.1:49152/callback":       false,
	} {
		a := w.do(http.MethodGet, authURL, w.ask(bank, "redirect_uri", address), nil)
		if (a.Code == http.StatusSeeOther) != may {
			t.Errorf("%s: %d", address, a.Code)
		}
	}
	c.LoopbackPort = false
	w.clients[bank] = c
	w.do(http.MethodGet, authURL, w.ask(bank, "redirect_uri", "http://127.0.0.1:49152/callback"), nil).page(http.StatusBadRequest)
}

func TestAClientThatNobodyKnowsSendsNobodyAnywhere(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for _, id := range []string{"", "RP00000009", "rp00000001", strings.Repeat("x", 5000)} {
		w.do(http.MethodGet, authURL, w.ask(bank, "client_id", id), nil).page(http.StatusBadRequest)
	}
	twice := w.ask(bank)
	twice.Add("client_id", shop)
	w.do(http.MethodGet, authURL, twice, nil).page(http.StatusBadRequest)
	twice = w.ask(bank)
	twice.Add("redirect_uri", "https://evil.example/")
	w.do(http.MethodGet, authURL, twice, nil).page(http.StatusBadRequest)
}

// RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6: what is wrong with the rest the client is told,
// with its state to the letter and the issuer (RFC 9207).
func TestEachFaultOfARequestHasItsCode(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for name, c := range map[string]struct {
		code string
		more []string
	}{
		"no response type":         {"invalid_request", []string{"-response_type", ""}},
		"implicit":                 {"unsupported_response_type", []string{"response_type", "token"}},
		"hybrid":                   {"unsupported_response_type", []string{"response_type", "code id_token"}},
		"hybrid in another order":  {"unsupported_response_type", []string{"response_type", "id_token code"}},
		"none":                     {"unsupported_response_type", []string{"response_type", "none"}},
		"response mode fragment":   {"invalid_request", []string{"response_mode", "fragment"}},
		"response mode form_post":  {"invalid_request", []string{"response_mode", "form_post"}},
		"no scope":                 {"invalid_scope", []string{"-scope", ""}},
		"no openid":                {"invalid_scope", []string{"scope", "name"}},
		"a scope not allowed":      {"invalid_scope", []string{"scope", "openid sign", "sign_transaction_id", "x"}},
		"pkce missing":             {"invalid_request", []string{"-code_challenge", ""}},
		"pkce without method":      {"invalid_request", []string{"-code_challenge_method", ""}},
		"pkce plain":               {"invalid_request", []string{"code_challenge_method", "plain", "code_challenge", verifier}},
		"pkce in small letters":    {"invalid_request", []string{"code_challenge_method", "s256"}},
		"a challenge too short":    {"invalid_request", []string{"code_challenge", challengeOf(verifier)[:42]}},
		"a challenge with padding": {"invalid_request", []string{"code_challenge", challengeOf(verifier)[:42] + "="}},
		"prompt none":              {"login_required", []string{"prompt", "none"}},
		"prompt none and another":  {"invalid_request", []string{"prompt", "none login"}},
		"an unknown prompt":        {"invalid_request", []string{"prompt", "create"}},
		"max_age is no number":     {"invalid_request", []string{"max_age", "soon"}},
		"max_age is negative":      {"invalid_request", []string{"max_age", "-1"}},
		"a request object":         {"request_not_supported", []string{"request", "eyJhbGciOiJub25lIn0.e30."}},
		"a request elsewhere":      {"request_uri_not_supported", []string{"request_uri", "https://bank.example/request.jwt"}},
		"registration":             {"registration_not_supported", []string{"registration", "{}"}},
		"a nonce too long":         {"invalid_request", []string{"nonce", strings.Repeat("n", 600)}},
		"a scope too long":         {"invalid_request", []string{"scope", "openid " + strings.Repeat("s", 600)}},
		"a transaction to sign":    {"invalid_request", []string{"sign_transaction_id", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			back := w.do(http.MethodGet, authURL, w.ask(bank, c.more...), nil).back(bankBack + "?")
			if back.Get("error") != c.code || back.Get("state") != "a state" || back.Get("iss") != issuer || back.Get("error_description") == "" || back.Has("code") {
				t.Errorf("%v", back)
			}
		})
	}
	if n := w.provider.UnderWay(); n != 0 {
		t.Errorf("%d logins under way", n)
	}
}

// RFC 6749 §3.1: a parameter is there once, or nothing of the request counts.
func TestAParameterTwiceIsRefusedWhicheverItIs(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for _, name := range []string{"response_type", "scope", "nonce", "code_challenge", "code_challenge_method", "state", "prompt", "a_stranger"} {
		v := w.ask(bank)
		v.Add(name, v.Get(name))
		v.Add(name, "another")
		back := w.do(http.MethodGet, authURL, v, nil).back(bankBack)
		if back.Get("error") != "invalid_request" || back.Get("state") != map[bool]string{true: "", false: "a state"}[name == "state"] {
			t.Errorf("%s: %v", name, back)
		}
	}
}

func TestAStateComesBackToTheLetter(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for _, state := range []string{"a b", "a+b", "%41", "&x=1", "é日本", `"'<>`, "=", strings.Repeat("s", 2048)} {
		back := w.do(http.MethodGet, authURL, w.ask(bank, "state", state, "prompt", "none"), nil).back(bankBack)
		if back.Get("state") != state || len(back["state"]) != 1 {
			t.Errorf("%q came back as %q", state, back["state"])
		}
	}
	if back := w.do(http.MethodGet, authURL, w.ask(bank, "-state", "", "prompt", "none"), nil).back(bankBack); back.Has("state") {
		t.Error("a state that nobody sent")
	}
	if back := w.do(http.MethodGet, authURL, w.ask(bank, "state", strings.Repeat("s", 2049)), nil).back(bankBack); back.Has("state") || back.Get("error") != "invalid_request" {
		t.Error("a state beyond its bound")
	}
	// A redirect URI with a query of its own keeps it.
	if back := w.do(http.MethodGet, authURL, w.ask(shop, "prompt", "none"), nil).back(shopBack); back.Get("from") != "warifu" || back.Get("state") != "a state" {
		t.Errorf("%v", back)
	}
}

// OpenID Connect Core §3.1.2.1: what is not understood is ignored; POST serves as GET does.
func TestWhatIsNotUnderstoodIsIgnored(t *testing.T) {
	w := newTown(t, housetest.Options{})
	w.begin(w.ask(bank, "scope", "openid profile email offline_access", "display", "touch", "claims", "{", "login_hint", "x", "id_token_hint", "x",
		"acr_values", "aal3 crl unheard-of", "ui_locales", "de ja-JP", "max_age", "0", "prompt", "login consent", "resource", "x"))
	w.tabOf(w.do(http.MethodPost, authURL, w.ask(bank), nil))
}

func TestAFloodOfABodyOrOfParametersIsRefused(t *testing.T) {
	w := newTown(t, housetest.Options{})
	many := w.ask(bank)
	for i := range 100 {
		many.Set("p"+strings.Repeat("x", i), "1")
	}
	w.do(http.MethodGet, authURL, many, nil).page(http.StatusBadRequest)
	w.do(http.MethodPost, authURL, w.ask(bank, "junk", strings.Repeat("x", 64<<10)), nil).page(http.StatusBadRequest)
	w.do(http.MethodPost, tokenURL, w.by(bank, "junk", strings.Repeat("x", 64<<10)), nil).refuses(http.StatusRequestEntityTooLarge, "invalid_request")
	r := httptest.NewRequest(http.MethodPost, authURL, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	w.serve(r).page(http.StatusBadRequest)
	r = httptest.NewRequest(http.MethodGet, authURL+"?client_id=%zz", nil)
	w.serve(r).page(http.StatusBadRequest)
	r = httptest.NewRequest(http.MethodPut, authURL, nil)
	if a := w.serve(r); a.Code != http.StatusMethodNotAllowed || a.Header().Get("Allow") != "GET, POST" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	if a := w.do(http.MethodGet, tokenURL, w.by(bank), nil); a.Code != http.StatusMethodNotAllowed {
		t.Errorf("a token by GET: %d", a.Code)
	}
}

// pushed pushes a good request.
func (w *town) pushed(client string, more ...string) string {
	w.t.Helper()
	a := w.do(http.MethodPost, pushURL, with(w.ask(client, more...), "client_assertion_type", jwtBearer, "client_assertion", w.assertion(client, nil)), nil)
	if a.Code != http.StatusCreated {
		w.t.Fatalf("%d %s", a.Code, a.Body)
	}
	return a.json()["request_uri"].(string)
}

// fapi2 par-attempt-reuse, par-request-uri-other-client, par-expired; RFC 9126 §4.
func TestAPushedRequestServesItsClientOnceAndNotForLong(t *testing.T) {
	w := newTown(t, housetest.Options{})
	take := func(client, uri string) answerOf {
		return w.do(http.MethodGet, authURL, url.Values{"client_id": {client}, "request_uri": {uri}}, nil)
	}
	uri := w.pushed(bank)
	take(shop, uri).page(http.StatusBadRequest)
	take("", uri).page(http.StatusBadRequest)
	take(bank, uri+"x").page(http.StatusBadRequest)
	take(bank, uri[:len(uri)-1]+"A").page(http.StatusBadRequest)
	w.tabOf(take(bank, uri))
	take(bank, uri).page(http.StatusBadRequest)
	late := w.pushed(bank)
	w.Clock.Forward(91 * 1e9)
	take(bank, late).page(http.StatusBadRequest)
}

// fapi2 par-with-parameters-beside: what stands beside request_uri does not count.
func TestParametersBesideAPushedRequestDoNotCount(t *testing.T) {
	w := newTown(t, housetest.Options{})
	uri := w.pushed(bank, "state", "pushed")
	at := w.begin(w.ask(bank, "request_uri", uri, "redirect_uri", "https://evil.example/", "state", "other", "scope", "openid name address", "code_challenge", challengeOf("x")))
	q, err := w.provider.Question(ctx, at.login, "app")
	must(t, err)
	if len(q.Attributes) != 0 || q.Client.Origin != "https://bank.example" {
		t.Errorf("%+v", q)
	}
	redirect, err := w.provider.Cancel(ctx, at.login, at.cookie)
	must(t, err)
	u, _ := url.Parse(redirect)
	if u.Query().Get("state") != "pushed" || u.Query().Get("error") != "access_denied" || u.Host != "bank.example" {
		t.Error(redirect)
	}
}

func TestAPushedRequestIsHeldToTheSameRules(t *testing.T) {
	w := newTown(t, housetest.Options{})
	push := func(more ...string) answerOf {
		return w.do(http.MethodPost, pushURL, with(w.ask(bank, "client_assertion_type", jwtBearer, "client_assertion", w.assertion(bank, nil)), more...), nil)
	}
	push("redirect_uri", "https://evil.example/").refuses(http.StatusBadRequest, "invalid_request")
	push("request_uri", "urn:ietf:params:oauth:request_uri:x").refuses(http.StatusBadRequest, "invalid_request")
	push("-code_challenge", "").refuses(http.StatusBadRequest, "invalid_request")
	push("response_type", "token").refuses(http.StatusBadRequest, "unsupported_response_type")
	push("scope", "name").refuses(http.StatusBadRequest, "invalid_scope")
	push("-client_assertion", "").refuses(http.StatusUnauthorized, "invalid_client")
	push("client_id", shop).refuses(http.StatusUnauthorized, "invalid_client")
}

// A flood of begun logins of one client shuts out neither what it pushes itself nor others.
func TestLoginsUnderWayAreBoundedByClientAndInAll(t *testing.T) {
	w := newTown(t, housetest.Options{})
	w.config.Limits.PerClient, w.config.Limits.All = 3, 6
	w.open()
	for range 3 {
		w.begin(w.ask(bank))
	}
	back := w.do(http.MethodGet, authURL, w.ask(bank), nil).back(bankBack)
	if back.Get("error") != "temporarily_unavailable" {
		t.Errorf("%v", back)
	}
	w.pushed(bank)
	at := w.begin(w.ask(shop))
	w.begin(w.ask(shop))
	if back := w.do(http.MethodGet, authURL, w.ask(shop), nil).back(shopBack); back.Get("error") != "temporarily_unavailable" {
		t.Errorf("%v", back)
	}
	_, err := w.provider.Cancel(ctx, at.login, at.cookie)
	must(t, err)
	w.begin(w.ask(shop))
	w.Clock.Forward(6 * 60 * 1e9)
	for range 3 {
		w.begin(w.ask(bank))
	}
	if n := w.provider.UnderWay(); n != 3 {
		t.Errorf("%d under way", n)
	}
	w.Clock.Forward(10 * time.Minute)
	gone, err := w.provider.Sweep(ctx)
	must(t, err)
	if gone != 0 {
		t.Errorf("%d rows swept before anybody could have come back", gone)
	}
	w.Clock.Forward(5 * time.Minute)
	gone, err = w.provider.Sweep(ctx)
	must(t, err)
	if gone != 7 {
		t.Errorf("%d rows swept", gone)
	}
}
