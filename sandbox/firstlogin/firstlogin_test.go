package firstlogin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"warifu/relyingparty"
	"warifu/sandbox/firstlogin"
)

// Who comes back without having begun here is not logged in, and is told so in their
// language; a provider that is away is said. Logins that succeed are tested with a true
// provider (docs/examples/relying-party).
func TestNobodyIsLoggedInWhoDidNotBeginHere(t *testing.T) {
	key, err := relyingparty.NewKey()
	must(t, err)
	callback := &url.URL{Scheme: "http", Host: "127.0.0.1:3000", Path: "/callback"}
	party, err := relyingparty.Open(t.Context(), relyingparty.Config{Issuer: "http://127.0.0.1:1/api/realms/main", ClientID: "RP00000001", Key: key, RedirectURI: callback.String()})
	must(t, err)
	site := httptest.NewServer(firstlogin.Handler(party, callback, func(firstlogin.Came) { t.Error("somebody is logged in") }))
	defer site.Close()
	for path, want := range map[string]string{
		"/":                        "My first login",
		"/callback?code=a&state=b": "This login cannot be continued",
		"/callback":                "login-state",
		"/login":                   "provider-unreachable",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+path, nil)
		must(t, err)
		r.Header.Set("Accept-Language", "en")
		r.AddCookie(&http.Cookie{Name: "warifu-first-login", Value: "AAAA"})
		answer, err := http.DefaultClient.Do(r)
		must(t, err)
		page, err := io.ReadAll(answer.Body)
		must(t, err)
		must(t, answer.Body.Close())
		if !strings.Contains(string(page), want) || strings.Contains(string(page), "Logged in") {
			t.Errorf("%s: %d %s", path, answer.StatusCode, page)
		}
		if cookie := answer.Header.Get("Set-Cookie"); strings.HasPrefix(path, "/callback") && !strings.Contains(cookie, "Max-Age=0") {
			t.Errorf("%s leaves the cookie: %q", path, cookie)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
