package web_test

import (
	"context"
	escape "html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/console"
	"warifu/internal/housetest"
	"warifu/internal/passkeytest"
)

// browser is one browser at the console: its cookie, and where it last was.
type browser struct {
	t      *testing.T
	site   http.Handler
	cookie string
	agent  string
	status int
	at     string // the address of the last page
	page   string
}

func newBrowser(t *testing.T, site http.Handler) *browser {
	return &browser{t: t, site: site, agent: "test browser"}
}

func (b *browser) send(method, target string, form url.Values) *http.Response {
	b.t.Helper()
	headers := []string{"User-Agent", b.agent, "Accept", "text/html", "Accept-Language", "en"}
	if b.cookie != "" {
		headers = append(headers, "Cookie", b.cookie)
	}
	if form != nil {
		headers = append(headers, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	}
	if b.at != "" {
		headers = append(headers, "Referer", "http://warifu.test"+b.at)
	}
	r := ask(b.site, method, target, form.Encode(), headers...)
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, "warifu-console") {
			if b.cookie = c.Name + "=" + c.Value; c.MaxAge < 0 {
				b.cookie = ""
			}
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/console" {
				b.t.Errorf("a loose cookie: %s", c)
			}
		}
	}
	return r
}

// arrive follows redirections and keeps the page.
func (b *browser) arrive(r *http.Response, target string) *browser {
	b.t.Helper()
	for range 5 {
		if r.StatusCode != http.StatusSeeOther {
			break
		}
		target = strings.TrimPrefix(r.Header.Get("Location"), "http://warifu.test")
		r = b.send("GET", target, nil)
	}
	b.status, b.at, b.page = r.StatusCode, target, text(b.t, r)
	return b
}

func (b *browser) open(target string) *browser {
	b.t.Helper()
	return b.arrive(b.send("GET", target, nil), target)
}

func (b *browser) post(target string, form url.Values) *browser {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return b.arrive(b.send("POST", target, form), target)
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// do posts a form of the page at hand: with its token.
func (b *browser) do(target string, pairs ...string) *browser {
	b.t.Helper()
	form := url.Values{}
	if m := tokenField.FindStringSubmatch(b.page); m != nil {
		form.Set("token", m[1])
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.post(target, form)
}

var optionsField = regexp.MustCompile(`data-options="([^"]+)"`)

func (b *browser) options() []byte {
	b.t.Helper()
	m := optionsField.FindStringSubmatch(b.page)
	if m == nil {
		b.t.Fatalf("no ceremony on %s: %s", b.at, b.page)
	}
	return []byte(escape.UnescapeString(m[1]))
}

func (b *browser) see(wanted ...string) *browser {
	b.t.Helper()
	for _, w := range wanted {
		if !strings.Contains(escape.UnescapeString(b.page), w) {
			b.t.Fatalf("%s (%d) does not say %q:\n%s", b.at, b.status, w, b.page)
		}
	}
	return b
}

func (b *browser) seeNot(unwanted ...string) *browser {
	b.t.Helper()
	for _, w := range unwanted {
		if strings.Contains(escape.UnescapeString(b.page), w) {
			b.t.Fatalf("%s says %q:\n%s", b.at, w, b.page)
		}
	}
	return b
}

// enrolled takes a one-time link with a new passkey.
func (b *browser) enrolled(link, name string) *passkeytest.Authenticator {
	b.t.Helper()
	key := &passkeytest.Authenticator{Origin: housetest.Origin}
	b.open(link)
	if name != "" {
		b.open(link + "?name=" + name)
	}
	b.do(link, "name", name, "answer", string(key.Create(b.t, b.options())))
	return key
}

func (b *browser) signIn(key *passkeytest.Authenticator) *browser {
	b.t.Helper()
	b.cookie = ""
	b.open("/console/sign-in")
	return b.do("/console/sign-in", "answer", string(key.Get(b.t, b.options())))
}

var oneTimeLink = regexp.MustCompile(`/console/enrol/[A-Za-z0-9_-]{43}`)

// consoleHouse is a house whose first administrator has just enrolled.
func consoleHouse(t *testing.T) (*housetest.House, *browser, *passkeytest.Authenticator) {
	t.Helper()
	h, site := site(t)
	link, err := h.Console.Bootstrap(context.Background(), false)
	must(t, err)
	b := newBrowser(t, site)
	key := b.enrolled(console.Path(link), "nao")
	b.see("Hello nao", "administrator")
	return h, b, key
}

func TestTheFirstAdministratorComesInByALinkAndThenByPasskey(t *testing.T) {
	h, b, key := consoleHouse(t)
	b.do("/console/sign-out").see("Sign in")
	b.open("/console").see("Prove the passkey")
	if b.at != "/console/sign-in" {
		t.Errorf("led to %s", b.at)
	}
	b.signIn(key).see("Hello nao")
	h.Clock.Forward(16 * time.Minute)
	b.open("/console").see("Your session is over", "Sign in")
	b.signIn(key)
	for range 33 { // busy all day: the session ends with the shift
		h.Clock.Forward(14 * time.Minute)
		b.open("/console")
	}
	h.Clock.Forward(20 * time.Minute)
	b.open("/console").see("Your session is over")
}
