package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/events"
	"warifu/registration"
	"warifu/web"
)

const (
	json_ = "application/json"
	html  = "text/html; charset=utf-8"
)

func TestWhatStandsWhere(t *testing.T) {
	h, site := site(t)
	a := h.Phone(t).Apply(t, "taro")
	live := httptest.NewServer(site)
	defer live.Close()
	for _, c := range []struct {
		path, contentType string
		caching           string // what Cache-Control must hold
	}{
		{"/", html, "no-store"},
		{"/devices", html, "max-age="},
		{"/devices.csv", "text/csv; charset=utf-8", "max-age="},
		{"/api/v1/devices", json_, "max-age="},
		{"/api/v1/devices/banner?model=Pixel+10", json_, "no-store"},
		{"/api/v1/applications/" + a.ID, json_, "no-store"},
		{"/applications/" + a.ID, html, "no-store"},
		{"/api/docs", html, "no-store"},
		{"/api/openapi.json", "application/openapi+json", ""},
		{"/api/openapi-3.0.json", "application/openapi+json", ""},
		{"/assets/warifu.css", "text/css; charset=utf-8", "no-cache"},
		{"/healthz", "text/plain; charset=utf-8", "no-store"},
		{"/readyz", "text/plain; charset=utf-8", "no-store"},
		{"/ca/signature.cer", "application/pkix-cert", "max-age="},
		{"/ca/authentication.cer", "application/pkix-cert", "max-age="},
		{"/crl/signature.crl", "application/pkix-crl", "max-age=60"},
		{"/crl/authentication.crl", "application/pkix-crl", "max-age=60"},
	} {
		r := ask(site, "GET", c.path, "")
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), c.contentType) || !strings.Contains(r.Header.Get("Cache-Control"), c.caching) {
			t.Errorf("%s: %d %q %q", c.path, r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"))
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", c.path)
		}
		request, err := http.NewRequest(http.MethodHead, live.URL+c.path, nil)
		must(t, err)
		request.Host = "warifu.test"
		head, err := live.Client().Do(request)
		must(t, err)
		body, err := io.ReadAll(head.Body)
		must(t, errors.Join(err, head.Body.Close()))
		if head.StatusCode != http.StatusOK || len(body) != 0 || head.Header.Get("Content-Type") != r.Header.Get("Content-Type") {
			t.Errorf("HEAD %s: %d, %d octets, %q", c.path, head.StatusCode, len(body), head.Header.Get("Content-Type"))
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	_, site := site(t)
	unknown := "a" + strings.Repeat("z", 26)
	for _, c := range []struct {
		method, path, slug string
		status             int
	}{
		{"GET", "/nowhere", "page-unknown", 404},
		{"GET", "/api/v2/applications", "page-unknown", 404},
		{"GET", "/ocsp", "page-unknown", 404},
		{"GET", "/ca/third.cer", "page-unknown", 404},
		{"GET", "/crl/third.crl", "page-unknown", 404},
		{"GET", "/api/v1/applications/" + unknown, "application-unknown", 404},
		{"GET", "/api/v1/applications/short", "request-malformed", 422},
		{"POST", "/api/v1/sessions/s" + strings.Repeat("z", 26), "session-unknown", 404},
		{"POST", "/devices", "method-unknown", 405},
		{"DELETE", "/api/v1/applications", "method-unknown", 405},
		{"PUT", "/", "method-unknown", 405},
	} {
		body := ""
		if c.method == "POST" {
			body = `{"responses":[]}`
		}
		r := ask(site, c.method, c.path, body)
		problem(t, r, c.status, c.slug)
		if (c.status == 405) != (r.Header.Get("Allow") != "") {
			t.Errorf("%s %s: Allow is %q", c.method, c.path, r.Header.Get("Allow"))
		}
	}
	r := ask(site, "GET", "/nowhere", "", "Accept", "text/html,*/*;q=0.8", "Accept-Language", "en")
	if page := text(t, r); r.StatusCode != 404 || !strings.Contains(page, "There is no such page") || !strings.Contains(page, `lang="en"`) {
		t.Errorf("to a person: %d %s", r.StatusCode, page)
	}
	r = ask(site, "GET", "/applications/"+unknown, "", "Accept", "text/html")
	if r.StatusCode != 404 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		t.Errorf("an unknown application's page: %d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
}

func TestLanguages(t *testing.T) {
	_, site := site(t)
	for _, c := range []struct{ accept, query, want string }{
		{"", "", "ja"}, {"ja", "", "ja"}, {"en", "", "en"}, {"fr;q=0.9, en;q=0.8, ja;q=0.1", "", "en"}, {"de", "", "en"},
		{"ja", "?lang=en", "en"}, {"en", "?lang=ja", "ja"}, {"en", "?lang=xx", "en"}, {"*", "", "ja"}, {strings.Repeat("x", 5000), "", "ja"},
	} {
		r := ask(site, "GET", "/nowhere"+c.query, "", "Accept-Language", c.accept)
		p := problem(t, r, 404, "page-unknown")
		if r.Header.Get("Content-Language") != c.want || (p.Title == p.TitleEn) != (c.want == "en") || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Accept-Language") {
			t.Errorf("%.20q %s: %s, %q", c.accept, c.query, r.Header.Get("Content-Language"), p.Title)
		}
		page := text(t, ask(site, "GET", "/"+c.query, "", "Accept-Language", c.accept))
		if !strings.Contains(page, `<html lang="`+c.want+`">`) {
			t.Errorf("%.20q %s: the page is not in %s", c.accept, c.query, c.want)
		}
	}
}

func TestOnlyKnownHostsAreAnswered(t *testing.T) {
	_, site := site(t, func(c *web.Config) { c.Hosts = []string{"warifu.test", "127.0.0.1:8400"} })
	for host, status := range map[string]int{
		"warifu.test": 200, "warifu.test:8400": 200, "127.0.0.1:8400": 200, "127.0.0.1:8401": 403, "evil.example": 403, "warifu.test.evil.example": 403, "": 403,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:5000", host
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("Host %q: %d, want %d", host, w.Code, status)
		}
		if status == 403 {
			problem(t, w.Result(), 403, "host-unknown")
		}
		// Status is for everybody, also for clients of HTTP/1.0 that name no host.
		r = httptest.NewRequest("GET", "/crl/signature.crl", nil)
		r.Host = host
		w = httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Errorf("Host %q: the list is answered %d", host, w.Code)
		}
	}
}

func TestRequestsFromOtherPagesAreRefused(t *testing.T) {
	_, site := site(t)
	body := `{"element":"` + element + `","model":"Pixel 10","osBuild":"99","appVersion":99}`
	if r := ask(site, "POST", "/api/v1/challenges", body); r.StatusCode != 200 {
		t.Fatalf("without Origin: %d %s", r.StatusCode, text(t, r))
	}
	if r := ask(site, "POST", "/api/v1/challenges", body, "Origin", "http://warifu.test", "Sec-Fetch-Site", "same-origin"); r.StatusCode != 200 {
		t.Errorf("from our own page: %d", r.StatusCode)
	}
	for name, headers := range map[string][]string{
		"another origin": {"Origin", "https://evil.example"}, "another site": {"Sec-Fetch-Site", "cross-site"},
		"another port": {"Origin", "http://warifu.test:8401"}, "no origin at all": {"Origin", "null"},
	} {
		r := ask(site, "POST", "/api/v1/challenges", body, headers...)
		t.Run(name, func(t *testing.T) { problem(t, r, 403, "request-cross-origin") })
	}
}

func TestOneSourceCannotAskWithoutEnd(t *testing.T) {
	h, site := site(t)
	from := func(address, path string) int {
		r := httptest.NewRequest("GET", "http://warifu.test"+path, nil)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code == 429 {
			problem(t, w.Result(), 429, "requests-too-many")
		}
		return w.Code
	}
	refused := 0
	for range 1000 {
		if from("192.0.2.7:1", "/healthz") == 429 {
			refused++
		}
	}
	if refused != 600 {
		t.Errorf("%d of 1000 refused, want all but the burst of 400", refused)
	}
	for address, path := range map[string]string{"192.0.2.8:1": "/healthz", "[2001:db8::1]:1": "/healthz", "127.0.0.1:1": "/healthz", "192.0.2.7:1": "/ca/signature.cer"} {
		if got := from(address, path); got != 200 {
			t.Errorf("%s from %s: %d", path, address, got)
		}
	}
	h.Clock.Forward(time.Second)
	if got := from("192.0.2.7:2", "/healthz"); got != 200 {
		t.Errorf("a second later: %d", got)
	}
	refused = 0
	for n := range 1000 { // one line, which has as many addresses as it likes
		if from(fmt.Sprintf("[2001:db8:7::%x]:1", n+1), "/healthz") == 429 {
			refused++
		}
	}
	if refused != 600 {
		t.Errorf("%d of 1000 refused that one IPv6 network asked", refused)
	}
}

// panicking is a registration authority with a fault of ours in it.
type panicking struct{ web.Registration }

func (panicking) Application(context.Context, string) (registration.Application, error) {
	panic("a value nobody should see")
}

func TestPanicIsAnAnswerAndTellsNoValue(t *testing.T) {
	var log strings.Builder
	_, site := site(t, func(c *web.Config) {
		c.Registration, c.Log = panicking{}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r := ask(site, "GET", "/api/v1/applications/a"+strings.Repeat("q", 26), "")
	problem(t, r, 500, "internal")
	if strings.Contains(log.String(), "nobody should see") || strings.Contains(log.String(), "qqqq") || !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log: %s", log.String())
	}
}

// failing is one whose database is away.
type failing struct{ web.Registration }

func (failing) Application(context.Context, string) (registration.Application, error) {
	return registration.Application{}, warifu.Unavailable("store-unavailable").With(errors.New("a path nobody should see"))
}

func TestWhatPassesIs503AndSaysWhenToComeBack(t *testing.T) {
	_, site := site(t, func(c *web.Config) { c.Registration = failing{} })
	r := ask(site, "GET", "/api/v1/applications/a"+strings.Repeat("q", 26), "")
	if r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	body := text(t, r)
	r.Body = io.NopCloser(strings.NewReader(body))
	problem(t, r, 503, "store-unavailable")
	if strings.Contains(body, "nobody should see") {
		t.Error("the answer tells what lies beneath")
	}
}

func TestReadiness(t *testing.T) {
	var down error
	_, site := site(t, func(c *web.Config) { c.Ready = func(context.Context) error { return down } })
	if r := ask(site, "GET", "/readyz", ""); r.StatusCode != 200 {
		t.Errorf("ready: %d", r.StatusCode)
	}
	down = errors.New("the disk at /secret/path is away")
	r := ask(site, "GET", "/readyz", "")
	if body := text(t, r); r.StatusCode != 503 || strings.Contains(body, "secret") {
		t.Errorf("not ready: %d %s", r.StatusCode, body)
	}
	if r := ask(site, "GET", "/healthz", ""); r.StatusCode != 200 {
		t.Errorf("it lives all the same: %d", r.StatusCode)
	}
}

var address = regexp.MustCompile(`(?:https?:)?//[a-zA-Z0-9]`)

// No page loads anything from elsewhere or runs a script in itself, and each is bound to that.
func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	h, site := site(t)
	p := h.Phone(t)
	a := p.Apply(t, "taro")
	pages := []string{"/", "/devices", "/api/docs", "/applications/" + a.ID, "/nowhere", "/assets/warifu.css"}
	for _, path := range pages {
		for _, lang := range []string{"ja", "en"} {
			r := ask(site, "GET", path, "", "Accept", "text/html", "Accept-Language", lang)
			page := text(t, r)
			if found := address.FindString(page); found != "" {
				t.Errorf("%s names %s…", path, found)
			}
			for _, inline := range []string{"<script>", "<style", " style=", " onclick=", "javascript:", "<iframe", "<img"} {
				if strings.Contains(page, inline) {
					t.Errorf("%s holds %s", path, inline)
				}
			}
			if strings.HasPrefix(path, "/assets") {
				continue
			}
			policy := r.Header.Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
				if !strings.Contains(policy, want) {
					t.Errorf("%s: the policy lacks %s", path, want)
				}
			}
			if strings.Contains(policy, "unsafe") || r.Header.Get("Referrer-Policy") != "same-origin" {
				t.Errorf("%s: policy %q, referrer %q", path, policy, r.Header.Get("Referrer-Policy"))
			}
			if !strings.Contains(page, `lang="`+lang+`"`) || !strings.Contains(page, "<h1>") || !strings.Contains(page, `class="band"`) {
				t.Errorf("%s in %s lacks its language, heading or band", path, lang)
			}
		}
	}
}

// Where an application stands, for who forbade notices (R43): every state has its sentence.
func TestApplicationsPageInEveryState(t *testing.T) {
	h, site := site(t)
	page := func(id string) string {
		return text(t, ask(site, "GET", "/applications/"+id, "", "Accept-Language", "en"))
	}
	follow := func() {
		_, err := h.Registrar.CatchUp(t.Context(), func(_ context.Context, after int64) (events.Batch, error) { return h.Bureau.Events(after, 0) })
		must(t, err)
	}
	p := h.Phone(t)
	a := p.Apply(t, "taro")
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "being issued"},
		{func() { h.Drain(t) }, "are ready"},
		{func() { must(t, h.Bureau.Suspend("taro")); follow() }, "on hold"},
		{func() {
			must(t, h.Bureau.Resume("taro"))
			follow()
			must(t, p.Personalize())
		}, "on the phone"},
	} {
		step.do()
		if got := page(a.ID); !strings.Contains(got, step.want) || strings.Contains(got, "face.") || !strings.Contains(got, a.ID) {
			t.Errorf("the page lacks %q or has a bare key: %s", step.want, got)
		}
	}
	h.Issuers[warifu.Signature].Before = func(registration.Evidence) error { return warifu.Refused("card-revoked", "kind", "signature") }
	b := h.Phone(t).Issue(t, "hanako")
	if got := page(b.ID); !strings.Contains(got, "could not be issued") || !strings.Contains(got, "has been revoked") {
		t.Errorf("a rejected one: %s", got)
	}
	for _, who := range []string{"taro", "hanako"} {
		view, err := h.Bureau.Show(who)
		must(t, err)
		for _, id := range []string{a.ID, b.ID} {
			if strings.Contains(page(id), view.Person.Name) {
				t.Error("the page names a person")
			}
		}
	}
}
