package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"warifu/web"
)

// form sends a form as the page's own browser does, and returns status, where it leads, page.
func form(t *testing.T, site http.Handler, target string, values url.Values, headers ...string) (int, string, string) {
	t.Helper()
	r := httptest.NewRequest("POST", "http://warifu.test"+target, strings.NewReader(values.Encode()))
	r.RemoteAddr = "127.0.0.1:5000"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	return w.Code, w.Header().Get("Location"), w.Body.String()
}

// Who has lost the phone puts the certificates on hold with the code alone: no login, and the
// number to call stands there whatever goes wrong.
func TestALostPhoneIsStoppedWithoutALogin(t *testing.T) {
	const hotline = "0120-95-0178"
	h, site := site(t, func(c *web.Config) {
		with := *c.Scheme
		with.Hotline = hotline
		c.Scheme = &with
	})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	var code struct{ SuspensionCode string }
	order(t, h, p, "/suspension-code", "reissue-code", "code", &code)
	page := text(t, ask(site, "GET", "/lost", "", "Accept-Language", "en"))
	for _, want := range []string{`href="tel:0120950178"`, hotline, `name="code"`, "No login is needed"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, c := range []struct{ code, says string }{
		{"", "not a suspension code"}, {"12", "not a suspension code"}, {strings.Repeat("9", 4000), "not a suspension code"},
		{"0000000000000000000000", "typing mistake"}, {"0000000000000000000098", "not known"},
	} {
		status, to, _ := form(t, site, "/lost", url.Values{"code": {c.code}})
		if status != 303 || !strings.HasPrefix(to, "/lost?refused=suspension-code") {
			t.Fatalf("%.30q: %d %s", c.code, status, to)
		}
		r := ask(site, "GET", to, "", "Accept-Language", "en")
		page := text(t, r)
		status = r.StatusCode
		if status < 400 || !strings.Contains(page, c.says) || !strings.Contains(page, hotline) || !strings.Contains(page, `aria-invalid="true"`) {
			t.Errorf("%.30q: %d %s", c.code, status, page)
		}
		if len(c.code) > 10 && strings.Contains(page, c.code) {
			t.Errorf("the page shows what was typed as a code")
		}
	}
	if page := text(t, ask(site, "GET", "/lost?refused=internal", "", "Accept-Language", "en")); strings.Contains(page, "role=\"alert\"") {
		t.Error("an address makes the page say anything")
	}
	if status, _, _ := form(t, site, "/lost", url.Values{"code": {code.SuspensionCode}}, "Sec-Fetch-Site", "cross-site"); status != 403 {
		t.Errorf("another site suspended: %d", status)
	}
	for range 2 { // twice is no error
		status, to, _ := form(t, site, "/lost", url.Values{"code": {"　" + code.SuspensionCode}})
		if status != 303 || to != "/lost/held" {
			t.Fatalf("with the code: %d %s", status, to)
		}
	}
	if page := text(t, ask(site, "GET", "/lost/held", "", "Accept-Language", "en")); !strings.Contains(page, "are on hold") {
		t.Error(page)
	}
	var life standingsAnswer
	answer(t, site, "/api/v1/applications/"+a.ID+"/credentials", nil, &life)
	if got := life.String(); got != "signature held [lost], authentication held [lost]" {
		t.Error(got)
	}
}

// The way there stands in the head of every page.
func TestEveryPageLeadsToTheLostPhone(t *testing.T) {
	_, site := site(t)
	for _, path := range []string{"/", "/devices", "/clean-proofs", "/api/docs", "/applications/a", "/nowhere", "/lost"} {
		if page := text(t, ask(site, "GET", path, "", "Accept", "text/html", "Accept-Language", "en")); !strings.Contains(page, `href="/lost"`) {
			t.Errorf("%s does not", path)
		}
	}
}
