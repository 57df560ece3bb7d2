package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"warifu"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/store"
	"warifu/web"
)

// mineHouse plays the provider as the house's own relying party: the code "good" is taro's.
type mineHouse struct {
	provider
	person   warifu.Digest
	over     bool
	stuck    error // why nobody can leave
	verifier string
}

func (m *mineHouse) OwnAddress(state, challenge, lang string) string {
	return "/login?" + url.Values{"state": {state}, "challenge": {challenge}, "lang": {lang}}.Encode()
}

func (m *mineHouse) EnterOwn(_ context.Context, code, verifier string) (string, error) {
	m.verifier = verifier
	if code != "good" {
		return "", warifu.Refused("oidc-code-invalid")
	}
	return "session-of-taro", nil
}

func (m *mineHouse) Own(_ context.Context, session string) (oidc.Own, error) {
	if session != "session-of-taro" || m.over {
		return oidc.Own{}, warifu.Unauthenticated("own-session-over")
	}
	return oidc.Own{Person: m.person, Class: "card", Activation: "pin"}, nil
}

func (m *mineHouse) LeaveOwn(context.Context, string) error {
	m.over = m.stuck == nil
	return m.stuck
}

func mineSite(t *testing.T) (*housetest.House, http.Handler, *mineHouse) {
	t.Helper()
	m := &mineHouse{}
	h, site := site(t, func(c *web.Config) {
		c.Login = &web.Login{Endpoints: m, Claimant: m, Browser: m, Own: m, Cookie: "warifu-login-80"}
	})
	return h, site, m
}

// enters goes the way in, and returns the cookie of the way and its state.
func enters(t *testing.T, site http.Handler) (cookie, state string) {
	t.Helper()
	r := ask(site, "GET", "/mine/enter", "", "Accept-Language", "en")
	to, err := url.Parse(r.Header.Get("Location"))
	must(t, err)
	c := r.Cookies()
	if r.StatusCode != 303 || len(c) != 1 || !c[0].HttpOnly || c[0].Path != "/mine" || c[0].SameSite != http.SameSiteLaxMode || to.Query().Get("lang") != "en" {
		t.Fatalf("%d %v %v", r.StatusCode, to, c)
	}
	if to.Query().Get("challenge") == to.Query().Get("state") || strings.Contains(to.RawQuery, c[0].Value) {
		t.Error("the way tells its secret")
	}
	return c[0].Name + "=" + c[0].Value, to.Query().Get("state")
}

func TestAHolderSeesWhatIsTheirsAlone(t *testing.T) {
	h, site, m := mineSite(t)
	p := h.Phone(t)
	a := p.Own(t, "taro")
	must(t, h.Store.Write(t.Context(), func(tx *store.Tx) error {
		row, err := tx.Application(a.ID)
		if err != nil {
			return err
		}
		m.person = row.Person
		return ledger.New(h.Store, h.Scheme.LedgerKeep, h.Clock).Append(tx, row.Person, ledger.Entry{At: h.Clock.Now(), By: "bank", Name: ledger.Name{Japanese: "見本銀行", English: "Sample <Bank>"}, What: ledger.LoggedIn, Class: "phone", Result: "good"})
	}))
	if page := text(t, ask(site, "GET", "/mine", "", "Accept-Language", "en")); !strings.Contains(page, `href="/mine/enter"`) || strings.Contains(page, "time here is over") {
		t.Error(page)
	}
	way, state := enters(t, site)
	r := ask(site, "GET", "/mine/back?code=good&state="+url.QueryEscape(state), "", "Cookie", way)
	if r.StatusCode != 303 || r.Header.Get("Location") != "/mine" || m.verifier == "" {
		t.Fatalf("%d %s", r.StatusCode, r.Header.Get("Location"))
	}
	var session string
	for _, c := range r.Cookies() {
		if c.Value == "session-of-taro" {
			session = c.Name + "=" + c.Value
		}
	}
	for path, wants := range map[string][]string{
		"/mine":         {"You signed in with the card", "Good until", "It became valid", a.ID},
		"/mine/checked": {"Sample &lt;Bank&gt;", "a login", "good"},
	} {
		page := text(t, ask(site, "GET", path, "", "Cookie", session, "Accept-Language", "en"))
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q: %s", path, want, page)
			}
		}
		if page := text(t, ask(site, "GET", path, "", "Accept-Language", "en")); !strings.Contains(page, `href="/mine/enter"`) || strings.Contains(page, a.ID) || strings.Contains(page, "Bank") {
			t.Errorf("%s tells strangers", path)
		}
	}
	r = ask(site, "GET", "/mine/checked.json", "", "Cookie", session)
	page, err := ledger.ParsePage([]byte(text(t, r)))
	if err != nil || len(page.Lines) != 1 || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%+v %v", page, err)
	}
	var file struct {
		Format       string
		Applications []struct{ Credentials []struct{ State string } }
	}
	must(t, json.Unmarshal([]byte(text(t, ask(site, "GET", "/mine/certificates.json", "", "Cookie", session))), &file))
	if file.Format != "warifu-holding-v1" || len(file.Applications) != 1 || len(file.Applications[0].Credentials) != 2 {
		t.Errorf("%+v", file)
	}
	problem(t, ask(site, "GET", "/mine/checked.json?after=99", "", "Cookie", session), 404, "ledger-line-unknown")
	if r := ask(site, "POST", "/mine/leave", "", "Cookie", session, "Sec-Fetch-Site", "cross-site"); r.StatusCode != 403 || m.over {
		t.Errorf("another site signed out: %d", r.StatusCode)
	}
	m.stuck = warifu.Unavailable("store-unavailable")
	if r := ask(site, "POST", "/mine/leave", "", "Cookie", session); r.StatusCode != 503 || len(r.Header.Values("Set-Cookie")) > 0 {
		t.Errorf("what is the holder's alone is kept when it could not be left: %d %q", r.StatusCode, r.Header.Values("Set-Cookie"))
	}
	m.stuck = nil
	if status, to, _ := form(t, site, "/mine/leave", nil, "Cookie", session); status != 303 || to != "/mine" {
		t.Errorf("%d %s", status, to)
	}
	if page := text(t, ask(site, "GET", "/mine/checked", "", "Cookie", session, "Accept-Language", "en")); !strings.Contains(page, "time here is over") {
		t.Error("the back button shows what was left")
	}
}

// Whatever comes back without the browser's own word leads to the way in and to nothing else.
func TestAnAnswerThatThisBrowserDidNotAskForOpensNothing(t *testing.T) {
	_, site, m := mineSite(t)
	way, state := enters(t, site)
	for _, c := range []struct{ query, cookie, to string }{
		{"code=good&state=" + url.QueryEscape(state), "", "/mine"},
		{"code=good&state=other", way, "/mine"},
		{"code=good", way, "/mine"},
		{"error=access_denied&state=" + url.QueryEscape(state), way, "/mine?declined=1"},
	} {
		r := ask(site, "GET", "/mine/back?"+c.query, "", "Cookie", c.cookie)
		if r.StatusCode != 303 || r.Header.Get("Location") != c.to || m.verifier != "" {
			t.Errorf("%s: %d %s", c.query, r.StatusCode, r.Header.Get("Location"))
		}
	}
	r := ask(site, "GET", "/mine/back?code=bad&state="+url.QueryEscape(state), "", "Cookie", way, "Accept-Language", "en")
	if page := text(t, r); r.StatusCode != 403 || !strings.Contains(page, `href="/mine/enter"`) {
		t.Errorf("%d %s", r.StatusCode, page)
	}
	if page := text(t, ask(site, "GET", "/mine?declined=1", "", "Accept-Language", "en")); !strings.Contains(page, "You did not sign in") {
		t.Error(page)
	}
}
