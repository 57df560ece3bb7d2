package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/internal/housetest"
	"warifu/oidc"
	"warifu/phone"
)

// fapi2 client-assertion-…: who a client is, is proved anew for each request and here alone.
func TestAClientAssertionThatIsNotInOrderIsRefused(t *testing.T) {
	w := newTown(t, housetest.Options{})
	now := w.Clock.Now().Unix()
	unsigned := func(alg string) string {
		enc := base64.RawURLEncoding.EncodeToString
		body := fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":%q,"exp":%d,"jti":"x"}`, bank, bank, tokenURL, now+60)
		return enc([]byte(`{"alg":"`+alg+`"}`)) + "." + enc([]byte(body)) + "."
	}
	set := func(name string, value any) string {
		return w.assertion(bank, func(c claimed) {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		})
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // a key that must be refused
	must(t, err)
	public, err := w.clients[bank].JWKS.Keys[0].MarshalJSON()
	must(t, err)
	for name, text := range map[string]string{
		"none":                            "",
		"not a JWS":                       "x",
		"alg none":                        unsigned("none"),
		"alg None":                        unsigned("None"),
		"alg of a MAC, by the public key": w.assertionBy(public, jose.HS256, bank, bank, nil),
		"alg of another curve":            w.assertionBy(newKeyOn(t, elliptic.P384()), jose.ES384, bank, bank, nil),
		"another key":                     w.assertionBy(newKey(t), jose.ES256, bank, bank, nil),
		"another client's key":            w.assertionBy(w.keys[shop], jose.ES256, bank, bank, nil),
		"another client's kid":            w.assertionBy(w.keys[shop], jose.ES256, shop, bank, nil),
		"a weak key":                      w.assertionBy(weak, jose.RS256, "", bank, nil),
		"no iss":                          set("iss", nil),
		"another iss":                     set("iss", shop),
		"no sub":                          set("sub", nil),
		"another sub":                     set("sub", shop),
		"a client that is not there":      w.assertionBy(w.keys[bank], jose.ES256, bank, "RP99999999", nil),
		"no aud":                          set("aud", nil),
		"another aud":                     set("aud", "https://bank.example/"),
		"aud of another endpoint":         set("aud", infoURL),
		"aud with another beside":         set("aud", []string{tokenURL, "https://other.example/token"}),
		"aud of nobody":                   set("aud", []string{}),
		"aud with a slash more":           set("aud", issuer+"/"),
		"no exp":                          set("exp", nil),
		"expired":                         set("exp", now-31),
		"too far ahead":                   set("exp", now+331),
		"far beyond":                      set("exp", 1e300),
		"exp as text":                     set("exp", "soon"),
		"not yet":                         set("nbf", now+31),
		"of tomorrow":                     set("iat", now+31),
		"no jti":                          set("jti", nil),
		"an empty jti":                    set("jti", ""),
		"an endless jti":                  set("jti", strings.Repeat("j", 300)),
		"too long":                        set("more", strings.Repeat("m", 9000)),
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			for _, address := range []string{tokenURL, pushURL, revokeURL} {
				w.do(http.MethodPost, address, w.by(bank, "grant_type", "client_credentials", "token", "x", "client_assertion", text), nil).refuses(http.StatusUnauthorized, "invalid_client")
			}
		})
	}
	for name, form := range map[string]url.Values{
		"another type":     w.by(bank, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
		"no type":          w.by(bank, "-client_assertion_type", ""),
		"another's name":   w.by(bank, "client_id", shop),
		"a secret instead": {"client_id": {bank}, "client_secret": {"x"}, "grant_type": {"client_credentials"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.do(http.MethodPost, tokenURL, form, http.Header{"Authorization": {"Basic eDp5"}}).refuses(http.StatusUnauthorized, "invalid_client")
		})
	}
}

func newKeyOn(t testing.TB, curve elliptic.Curve) any {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	must(t, err)
	return k
}

// fapi2 client-assertion-aud-…: the issuer, the token endpoint, or a list of the two.
func TestAnAssertionMayNameTheIssuerOrTheTokenEndpoint(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for _, aud := range []any{tokenURL, issuer, []string{issuer, tokenURL}} {
		code := w.code(w.ask(bank))
		w.exchange(bank, code, "client_assertion", w.assertion(bank, func(c claimed) { c["aud"] = aud })).tokens()
	}
	// Without kid every key of the client is tried.
	w.exchange(bank, w.code(w.ask(bank)), "client_assertion", w.assertionBy(w.keys[bank], jose.ES256, "", bank, nil)).tokens()
	w.exchange(bank, w.code(w.ask(bank)), "-client_id", "").tokens()
}

// fapi2 client-assertion-jti-reuse: also where the request came to nothing.
func TestAnAssertionServesOnce(t *testing.T) {
	w := newTown(t, housetest.Options{})
	code := w.code(w.ask(bank))
	form := w.exchangeForm(bank, "not-a-code")
	w.do(http.MethodPost, tokenURL, form, nil).refuses(http.StatusBadRequest, "invalid_grant")
	form.Set("code", code)
	w.do(http.MethodPost, tokenURL, form, nil).refuses(http.StatusUnauthorized, "invalid_client")
	form = w.exchangeForm(bank, code)
	w.do(http.MethodPost, tokenURL, form, nil).tokens()
	for _, address := range []string{tokenURL, pushURL, revokeURL} {
		w.do(http.MethodPost, address, with(form, "token", "x"), nil).refuses(http.StatusUnauthorized, "invalid_client")
	}
	// Another server on the same database knows it too.
	w.open()
	w.do(http.MethodPost, tokenURL, form, nil).refuses(http.StatusUnauthorized, "invalid_client")
	// Another client's with the same jti is another.
	w.do(http.MethodPost, revokeURL, w.by(bank, "token", "x", "client_assertion", w.assertion(bank, func(c claimed) { c["jti"] = "same" })), nil)
	if a := w.do(http.MethodPost, revokeURL, w.by(shop, "token", "x", "client_assertion", w.assertion(shop, func(c claimed) { c["jti"] = "same" })), nil); a.Code != http.StatusOK {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}

// oidcc-codereuse, RFC 6749 §4.1.2: a code that comes twice ends what came of it.
func TestACodeThatComesTwiceRevokesWhatCameOfIt(t *testing.T) {
	w := newTown(t, housetest.Options{})
	code := w.code(w.ask(bank))
	tokens := w.exchange(bank, code).tokens()
	if a := w.userinfo(tokens.access); a.Code != http.StatusOK {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	w.exchange(bank, code).refuses(http.StatusBadRequest, "invalid_grant")
	w.userinfo(tokens.access).refuses(http.StatusUnauthorized, "invalid_token")
	w.refresh(bank, tokens.refresh).refuses(http.StatusBadRequest, "invalid_grant")
	w.exchange(bank, code).refuses(http.StatusBadRequest, "invalid_grant")
	if w.counted["replayed"] != 1 {
		t.Errorf("%v", w.counted)
	}
}

// oidcc-codereuse-30seconds, RFC 9700 §4.5: code injection and mix-up.
func TestACodeServesItsClientItsRedirectURIAndItsVerifierAlone(t *testing.T) {
	w := newTown(t, housetest.Options{})
	code := w.code(w.ask(bank))
	other := w.code(w.ask(bank, "code_challenge", challengeOf(strings.Repeat("y", 43))))
	for name, a := range map[string]func() answerOf{
		"another client":           func() answerOf { return w.exchange(shop, code) },
		"its redirect URI too":     func() answerOf { return w.exchange(shop, code, "redirect_uri", bankBack) },
		"another redirect URI":     func() answerOf { return w.exchange(bank, code, "redirect_uri", shopBack) },
		"no redirect URI":          func() answerOf { return w.exchange(bank, code, "-redirect_uri", "") },
		"no verifier":              func() answerOf { return w.exchange(bank, code, "-code_verifier", "") },
		"another verifier":         func() answerOf { return w.exchange(bank, code, "code_verifier", strings.Repeat("x", 43)) },
		"the challenge itself":     func() answerOf { return w.exchange(bank, code, "code_verifier", challengeOf(verifier)) },
		"a verifier too long":      func() answerOf { return w.exchange(bank, code, "code_verifier", strings.Repeat("x", 129)) },
		"another login's code":     func() answerOf { return w.exchange(bank, other) },
		"a code that is not there": func() answerOf { return w.exchange(bank, strings.Repeat("A", len(code))) },
		"a code changed":           func() answerOf { return w.exchange(bank, flip(code)) },
		"a code cut off":           func() answerOf { return w.exchange(bank, code[:len(code)-2]) },
		"a code with more":         func() answerOf { return w.exchange(bank, code+"A") },
		"a code with a new line":   func() answerOf { return w.exchange(bank, code[:8]+"\n"+code[8:]) },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			a().refuses(http.StatusBadRequest, "invalid_grant")
		})
	}
	w.exchange(bank, "").refuses(http.StatusBadRequest, "invalid_request")
	w.exchange(bank, code).tokens() // its own is as good as before
}

// flip changes one bit in the middle.
func flip(text string) string {
	b, _ := base64.RawURLEncoding.DecodeString(text)
	b[len(b)/2] ^= 1
	return base64.RawURLEncoding.EncodeToString(b)
}

func TestACodeIsGoodForAMinute(t *testing.T) {
	w := newTown(t, housetest.Options{})
	early, late := w.code(w.ask(bank)), w.code(w.ask(bank))
	w.Clock.Forward(59 * time.Second)
	w.exchange(bank, early).tokens()
	w.Clock.Forward(time.Second)
	w.exchange(bank, late).refuses(http.StatusBadRequest, "invalid_grant")
	_, err := w.provider.Sweep(ctx)
	must(t, err)
	w.exchange(bank, late).refuses(http.StatusBadRequest, "invalid_grant")
	w.exchange(bank, early).refuses(http.StatusBadRequest, "invalid_grant") // still remembered, and a replay
	if w.counted["replayed"] != 1 {
		t.Errorf("%v", w.counted)
	}
}

func TestTwoExchangesOfOneCodeGiveTokensOnce(t *testing.T) {
	w := newTown(t, housetest.Options{})
	code := w.code(w.ask(bank))
	forms := make([]url.Values, 8)
	for i := range forms {
		forms[i] = w.exchangeForm(bank, code)
	}
	got := make(chan int, len(forms))
	for _, f := range forms {
		go func() { got <- w.do(http.MethodPost, tokenURL, f, nil).Code }()
	}
	good := 0
	for range forms {
		if <-got == http.StatusOK {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d times", good)
	}
}

func TestOtherGrantsAreRefused(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for _, grant := range []string{"password", "implicit", "urn:ietf:params:oauth:grant-type:token-exchange", "Authorization_code"} {
		w.do(http.MethodPost, tokenURL, w.by(bank, "grant_type", grant), nil).refuses(http.StatusBadRequest, "unsupported_grant_type")
	}
	w.do(http.MethodPost, tokenURL, w.by(bank), nil).refuses(http.StatusBadRequest, "invalid_request")
	w.do(http.MethodPost, tokenURL, w.by(bank, "grant_type", "client_credentials"), nil).refuses(http.StatusBadRequest, "unauthorized_client")
	twice := w.exchangeForm(bank, w.code(w.ask(bank)))
	twice.Add("grant_type", "password")
	w.do(http.MethodPost, tokenURL, twice, nil).refuses(http.StatusBadRequest, "invalid_request")
}

// oidcc-refresh-token, fapi2 refresh rotation, RFC 9700 §4.14.2.
func TestARefreshTokenServesOnceAndItsReuseEndsTheFamily(t *testing.T) {
	w := newTown(t, housetest.Options{})
	first := w.login(w.ask(bank))
	w.Clock.Forward(time.Minute)
	second := w.refresh(bank, first.refresh).tokens()
	if second.refresh == first.refresh || second.access == first.access {
		t.Error("the same tokens again")
	}
	a, b := w.claims(first.id), w.claims(second.id)
	for _, same := range []string{"iss", "sub", "aud", "auth_time", "sid", "acr"} {
		if a[same] != b[same] {
			t.Errorf("%s: %v and %v", same, a[same], b[same])
		}
	}
	if b["nonce"] != nil || a["iat"] == b["iat"] {
		t.Errorf("%v", b)
	}
	w.refresh(shop, second.refresh).refuses(http.StatusBadRequest, "invalid_grant")
	w.refresh(bank, flip(second.refresh)).refuses(http.StatusBadRequest, "invalid_grant")
	w.refresh(bank, second.access).refuses(http.StatusBadRequest, "invalid_grant")
	w.refresh(bank, second.refresh, "scope", "openid name").refuses(http.StatusBadRequest, "invalid_scope")
	w.refresh(bank, "").refuses(http.StatusBadRequest, "invalid_request")
	third := w.refresh(bank, second.refresh).tokens()
	w.refresh(bank, second.refresh).refuses(http.StatusBadRequest, "invalid_grant")
	w.refresh(bank, third.refresh).refuses(http.StatusBadRequest, "invalid_grant")
	w.userinfo(third.access).refuses(http.StatusUnauthorized, "invalid_token")
}

func TestRefreshingEndsADayAfterTheLogin(t *testing.T) {
	w := newTown(t, housetest.Options{})
	tokens := w.login(w.ask(bank))
	w.Clock.Forward(23 * time.Hour)
	tokens = w.refresh(bank, tokens.refresh).tokens()
	w.Clock.Forward(time.Hour)
	w.refresh(bank, tokens.refresh).refuses(http.StatusBadRequest, "invalid_grant")
}

// The phone is revoked, suspended or gone between consent and code, or later.
func TestACredentialThatIsNoLongerGoodGetsNoTokens(t *testing.T) {
	w := newTown(t, housetest.Options{})
	tokens := w.login(w.ask(bank))
	code := w.code(w.ask(bank))
	secret := phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature}
	_, err := w.phone.App.Revoke(ctx, []warifu.Kind{warifu.Authentication}, secret)
	must(t, err)
	w.exchange(bank, code).refuses(http.StatusBadRequest, "invalid_grant")
	w.refresh(bank, tokens.refresh).refuses(http.StatusBadRequest, "invalid_grant")
	w.userinfo(tokens.access).refuses(http.StatusUnauthorized, "invalid_token")
}

func TestACardThatIsNoLongerGoodGetsNoTokens(t *testing.T) {
	w := newTown(t, housetest.Options{})
	byCard := func() string {
		at := w.begin(w.ask(bank))
		k, _ := w.openCard(person)
		q, err := w.provider.Question(ctx, at.login, oidc.WayApp)
		must(t, err)
		done, err := w.provider.Answer(ctx, at.login, k.answers(t, q))
		must(t, err)
		back, _ := url.Parse(done.Return)
		redirect, err := w.provider.Finish(ctx, at.login, at.cookie, back.Query().Get("return"))
		must(t, err)
		u, _ := url.Parse(redirect)
		return u.Query().Get("code")
	}
	tokens := w.exchange(bank, byCard()).tokens()
	code, second := byCard(), byCard()
	w.Cards.Fault = housetest.Down
	w.exchange(bank, second).refuses(http.StatusServiceUnavailable, "temporarily_unavailable")
	w.Cards.Fault = nil
	must(t, w.Bureau.Suspend(person))
	w.Clock.Forward(10 * time.Second)
	w.exchange(bank, code).refuses(http.StatusBadRequest, "invalid_grant")
	w.refresh(bank, tokens.refresh).refuses(http.StatusBadRequest, "invalid_grant")
}

// RFC 6750 §2, §3.
func TestAnAccessTokenComesInOneWayAndIsSaidWhyNot(t *testing.T) {
	w := newTown(t, housetest.Options{})
	tokens := w.login(w.ask(bank))
	get := func(h http.Header) answerOf { return w.do(http.MethodGet, infoURL, nil, h) }
	for name, c := range map[string]struct {
		a      answerOf
		status int
		says   string
	}{
		"none":               {get(nil), 401, `Bearer realm="` + issuer + `"`},
		"basic":              {get(http.Header{"Authorization": {"Basic eDp5"}}), 401, `Bearer realm="` + issuer + `"`},
		"unknown":            {get(http.Header{"Authorization": {"Bearer x"}}), 401, `error="invalid_token"`},
		"changed":            {get(http.Header{"Authorization": {"Bearer " + flip(tokens.access)}}), 401, `error="invalid_token"`},
		"a refresh token":    {get(http.Header{"Authorization": {"Bearer " + tokens.refresh}}), 401, `error="invalid_token"`},
		"an ID token":        {get(http.Header{"Authorization": {"Bearer " + tokens.id}}), 401, `error="invalid_token"`},
		"in the query":       {w.do(http.MethodGet, infoURL, url.Values{"access_token": {tokens.access}}, nil), 401, `Bearer realm="` + issuer + `"`},
		"in header and form": {w.do(http.MethodPost, infoURL, url.Values{"access_token": {tokens.access}}, http.Header{"Authorization": {"Bearer " + tokens.access}}), 400, `error="invalid_request"`},
		"twice":              {get(http.Header{"Authorization": {"Bearer " + tokens.access, "Bearer " + tokens.access}}), 400, `error="invalid_request"`},
	} {
		if head := c.a.Header().Get("WWW-Authenticate"); c.a.Code != c.status || !strings.Contains(head, c.says) {
			t.Errorf("%s: %d %q", name, c.a.Code, head)
		}
	}
	for _, a := range []answerOf{
		get(http.Header{"Authorization": {"bearer " + tokens.access}}),
		w.do(http.MethodPost, infoURL, url.Values{"access_token": {tokens.access}}, nil),
		w.do(http.MethodPost, infoURL, nil, http.Header{"Authorization": {"Bearer " + tokens.access}}),
	} {
		if a.Code != http.StatusOK || a.json()["sub"] != w.claims(tokens.id)["sub"] {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	}
	w.Clock.Forward(10 * time.Minute)
	w.userinfo(tokens.access).refuses(http.StatusUnauthorized, "invalid_token")
}

// RFC 7009.
func TestRevokingOneTokenEndsTheLogin(t *testing.T) {
	w := newTown(t, housetest.Options{})
	revoke := func(client, token string) {
		t.Helper()
		if a := w.do(http.MethodPost, revokeURL, w.by(client, "token", token), nil); a.Code != http.StatusOK || a.Body.Len() != 0 {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	}
	first, second := w.login(w.ask(bank)), w.login(w.ask(bank))
	revoke(shop, first.refresh) // not its own: nothing happens, and nobody learns anything
	revoke(shop, first.access)
	revoke(bank, "unknown")
	if w.userinfo(first.access).Code != http.StatusOK {
		t.Error("another client ended a login")
	}
	revoke(bank, first.refresh)
	revoke(bank, first.refresh)
	revoke(bank, second.access)
	for _, tokens := range []tokensOf{first, second} {
		w.userinfo(tokens.access).refuses(http.StatusUnauthorized, "invalid_token")
		w.refresh(bank, tokens.refresh).refuses(http.StatusBadRequest, "invalid_grant")
	}
	w.do(http.MethodPost, revokeURL, w.by(bank), nil).refuses(http.StatusBadRequest, "invalid_request")
}

func TestAClientsOwnTokenOpensNoLogin(t *testing.T) {
	w := newTown(t, housetest.Options{})
	c := w.clients[bank]
	c.Scopes = append(c.Scopes, oidc.ScopeSign)
	w.clients[bank] = c
	w.config.Signing = oidc.NewSignDesk(oidc.SignConfig{Store: w.Store, Clock: w.Clock})
	w.open()
	token := w.do(http.MethodPost, tokenURL, w.by(bank, "grant_type", "client_credentials", "scope", "sign"), nil).tokens().access
	w.do(http.MethodPost, tokenURL, w.by(bank, "grant_type", "client_credentials", "scope", "sign openid"), nil).refuses(http.StatusBadRequest, "invalid_scope")
	a, err := w.provider.Access(ctx, token)
	must(t, err)
	if a.Client.ID != bank || a.Login != "" || len(a.Scopes) != 1 {
		t.Errorf("%+v", a)
	}
	w.userinfo(token).refuses(http.StatusForbidden, "insufficient_scope")
	_, err = w.provider.Access(context.Background(), flip(token))
	wants(t, err, "access-token-invalid")
	if a := w.do(http.MethodPost, revokeURL, w.by(shop, "token", token), nil); a.Code != http.StatusOK {
		t.Errorf("%d", a.Code)
	}
	_, err = w.provider.Access(ctx, token)
	must(t, err)
	if a := w.do(http.MethodPost, revokeURL, w.by(bank, "token", token), nil); a.Code != http.StatusOK {
		t.Errorf("%d", a.Code)
	}
	_, err = w.provider.Access(ctx, token)
	wants(t, err, "access-token-invalid")
}
