package web_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rsc.io/qr"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/oidc"
	"warifu/phone"
	"warifu/web"
)

const (
	loginID     = "labcdefghijklmnopqrstuvwxyz"
	loginCookie = "warifu-login-80=secret"
	clientBack  = "https://bank.example/callback?x=1&error=access_denied"
)

// provider plays the OpenID provider with one login.
type provider struct {
	mu       sync.Mutex
	view     oidc.View
	question oidc.Question
	answered oidc.Answered
	answer   oidc.Answer
	err      error // of whatever is asked next
	moved    chan struct{}
	told     []string
}

func (p *provider) Question(_ context.Context, login, way string) (oidc.Question, error) {
	p.told = append(p.told, "question "+way)
	q := p.question
	q.Login, q.Way = login, way
	return q, p.err
}

func (p *provider) Document(context.Context, string) ([]byte, error) {
	return []byte("<b>contract</b>"), p.err
}

func (p *provider) Answer(_ context.Context, _ string, a oidc.Answer) (oidc.Answered, error) {
	p.answer = a
	return p.answered, p.err
}

func (p *provider) Decline(context.Context, string) error {
	p.told = append(p.told, "decline")
	return p.err
}

func (p *provider) View(_ context.Context, login, cookie string) (oidc.View, error) {
	if cookie != "secret" {
		return oidc.View{}, warifu.Refused("login-cookie-wrong")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.view
	v.Login = login
	return v, p.err
}

func (p *provider) change(to oidc.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view.State = to
}

func (p *provider) Wait(context.Context, string) <-chan struct{} { return p.moved }

func (p *provider) Finish(_ context.Context, _, cookie, token string) (string, error) {
	p.told = append(p.told, "finish "+cookie+" "+token)
	return clientBack, p.err
}

func (p *provider) Cancel(_ context.Context, _, cookie string) (string, error) {
	p.told = append(p.told, "cancel "+cookie)
	return clientBack, p.err
}

// ServeHTTP answers at the protocol's addresses.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.told = append(p.told, r.Method+" "+r.URL.Path)
	w.WriteHeader(http.StatusNoContent)
}

// A relying party's page may post a person to the provider, and to nothing else here.
func TestRelyingPartiesPagesPostToTheProviderAlone(t *testing.T) {
	_, site, p := loginSite(t)
	foreign := []string{"Origin", "https://bank.example", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"}
	const protocol = "/api/realms/main/protocol/openid-connect/"
	if r := ask(site, "POST", protocol+"auth", "scope=openid", foreign...); r.StatusCode != http.StatusNoContent {
		t.Errorf("the authorization endpoint: %d", r.StatusCode)
	}
	for _, path := range []string{protocol + "token", "/login/" + loginID + "/cancel", "/api/v1/logins/" + loginID + "/decline"} {
		problem(t, ask(site, "POST", path, "{}", foreign...), 403, "request-cross-origin")
	}
	if r := ask(site, "GET", "/.well-known/openid-configuration", ""); r.StatusCode != http.StatusNoContent {
		t.Errorf("discovery: %d", r.StatusCode)
	}
	if got := strings.Join(p.told, "; "); got != "POST "+protocol+"auth; GET /.well-known/openid-configuration" {
		t.Errorf("the provider was told %s", got)
	}
}

// loginSite is a site with a provider at which a login waits.
func loginSite(t *testing.T) (*housetest.House, http.Handler, *provider) {
	t.Helper()
	p := &provider{moved: make(chan struct{})}
	h, site := site(t, func(c *web.Config) {
		c.Login = &web.Login{Endpoints: p, Claimant: p, Browser: p, Cookie: "warifu-login-80", App: "warifu-app://approve", Reader: "https://reader.test/card?x=1"}
	})
	p.view = oidc.View{
		Client: oidc.ClientView{ID: "bank", Name: ledger.Name{Japanese: "見本<銀行>", English: "Sample <Bank>"}, Origin: "https://bank.example"},
		State:  oidc.Waiting, Attributes: []string{"name", "birthdate"}, Number: "42", Expires: h.Clock.Now().Add(5 * time.Minute),
	}
	return h, site, p
}

func browse(t *testing.T, site http.Handler, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := ask(site, method, path, "", append([]string{"Accept", "text/html", "Cookie", loginCookie}, headers...)...)
	return r, text(t, r)
}

var bareLoginKey = regexp.MustCompile(`\blogin\.[a-z]+\.[a-z-]+`)

func TestTheWaitPageShowsWhatIsAskedAndEveryWay(t *testing.T) {
	_, site, p := loginSite(t)
	for _, lang := range []string{"ja", "en"} {
		r, page := browse(t, site, "GET", "/login/"+loginID, "Accept-Language", lang)
		for _, want := range map[string][]string{
			"ja": {"見本&lt;銀行&gt;", "氏名、生年月日", "QRコード"}, "en": {"Sample &lt;Bank&gt;", "name, date of birth", "QR code"},
		}[lang] {
			if !strings.Contains(page, want) {
				t.Errorf("%s: lacks %q", lang, want)
			}
		}
		for _, want := range []string{
			"https://bank.example", ">42<", `href="warifu-app://approve?at=http%3A%2F%2Fwarifu.test%2Flogin%2F` + loginID + `%2Fapp"`,
			"https://reader.test/card?x=1&amp;at=http%3A%2F%2Fwarifu.test%2Flogin%2F" + loginID + "%2Fapp",
			"http://warifu.test/l/" + loginID, `action="/login/` + loginID + `/cancel"`, `<script src="/assets/login.js?v=`,
			`<noscript><meta http-equiv="refresh"`, `<html lang="` + lang + `">`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: lacks %q", lang, want)
			}
		}
		if strings.Count(page, "<script") != strings.Count(page, `<script src="/assets/`) || strings.Contains(page, " style=") || bareLoginKey.MatchString(page) {
			t.Errorf("%s: something inline, or a bare key %q", lang, bareLoginKey.FindString(page))
		}
		policy := r.Header.Get("Content-Security-Policy")
		if r.StatusCode != 200 || !strings.Contains(policy, "form-action 'self' https://bank.example;") || !strings.Contains(policy, "script-src 'self';") || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d, %q, %q", r.StatusCode, policy, r.Header.Get("Cache-Control"))
		}
	}
	p.view.Languages = []string{"fr", "en-GB"}
	if _, page := browse(t, site, "GET", "/login/"+loginID, "Accept-Language", "ja"); !strings.Contains(page, `<html lang="en">`) {
		t.Error("the language that the relying party asked for is not spoken")
	}
	if _, page := browse(t, site, "GET", "/login/"+loginID+"?lang=ja"); !strings.Contains(page, `<html lang="ja">`) {
		t.Error("the language that the person chose is not spoken")
	}
	p.view.Demands = oidc.ClassCard
	if _, page := browse(t, site, "GET", "/login/"+loginID); strings.Contains(page, "<svg viewBox=\"-4") || !strings.Contains(page, "reader.test") {
		t.Error("a phone is offered where the card is demanded")
	}
	p.view.Demands, p.view.Attributes = oidc.ClassPhone, nil
	if _, page := browse(t, site, "GET", "/login/"+loginID, "Accept-Language", "en"); strings.Contains(page, "reader.test") || !strings.Contains(page, "None: only that it is you") {
		t.Error("the card is offered where the phone is demanded")
	}
	p.view.Client.Origin = "https://bank.example; script-src *"
	if r, _ := browse(t, site, "GET", "/login/"+loginID); strings.Contains(r.Header.Get("Content-Security-Policy"), "*") {
		t.Error("an origin wrote itself into the policy")
	}
}

// Each way in which a login can be over has its page, or its way back to the relying party.
func TestALoginThatIsOverSaysSo(t *testing.T) {
	_, site, p := loginSite(t)
	for _, c := range []struct {
		state    oidc.State
		way      string
		status   int
		location string
		says     string
		back     bool
	}{
		{oidc.Approved, oidc.WayQR, 303, "/login/" + loginID + "/done", "", false},
		{oidc.Approved, oidc.WayApp, 200, "", "go on in the page that the app opened", false},
		{oidc.Refused, "", 303, "/login/" + loginID + "/done", "", false},
		{oidc.Cancelled, "", 200, "", "cancelled", true},
		{oidc.Expired, "", 410, "", "run out of time", true},
		{oidc.Finished, "", 200, "", "done already", false},
	} {
		p.view.State, p.view.Way, p.view.Number = c.state, c.way, ""
		r, page := browse(t, site, "GET", "/login/"+loginID, "Accept-Language", "en")
		if r.StatusCode != c.status || r.Header.Get("Location") != c.location || !strings.Contains(page, c.says) {
			t.Errorf("%s %s: %d %q: %s", c.state, c.way, r.StatusCode, r.Header.Get("Location"), page)
		}
		if strings.Contains(page, `/done"`) != (c.back || c.status == 303) || bareLoginKey.MatchString(page) || strings.Contains(page, "<svg viewBox=\"-4") {
			t.Errorf("%s: the way back, a code or a bare key: %s", c.state, page)
		}
	}
}

func TestTheBrowserGoesBackExactlyAsRegistered(t *testing.T) {
	_, site, p := loginSite(t)
	r, _ := browse(t, site, "GET", "/login/"+loginID+"/done?return=tok")
	if r.StatusCode != 303 || r.Header.Get("Location") != clientBack {
		t.Errorf("%d %q", r.StatusCode, r.Header.Get("Location"))
	}
	r, _ = browse(t, site, "POST", "/login/"+loginID+"/cancel")
	if r.StatusCode != 303 || r.Header.Get("Location") != clientBack {
		t.Errorf("%d %q", r.StatusCode, r.Header.Get("Location"))
	}
	if got := strings.Join(p.told, "; "); got != "finish secret tok; cancel secret" {
		t.Errorf("the provider was told %s", got)
	}
}

// Another browser, another login, a return address that is not the app's: a page, and nothing of
// the login in it.
func TestWhoDidNotBeginALoginSeesNothingOfIt(t *testing.T) {
	_, site, p := loginSite(t)
	for _, path := range []string{"/login/" + loginID, "/login/" + loginID + "/done"} {
		if path == "/login/"+loginID+"/done" {
			p.err = warifu.Refused("login-cookie-wrong")
		}
		r := ask(site, "GET", path, "", "Accept", "text/html", "Accept-Language", "en")
		page := text(t, r)
		if r.StatusCode != 403 || strings.Contains(page, "bank.example") || strings.Contains(page, ">42<") {
			t.Errorf("%s without the cookie: %d %s", path, r.StatusCode, page)
		}
	}
	p.err = nil
	r := ask(site, "GET", "/login/"+loginID+"/events", "", "Accept", "text/event-stream")
	problem(t, r, 403, "login-cookie-wrong")
	for _, path := range []string{"/login/short", "/l/short", "/login/" + strings.ToUpper(loginID), "/login/short/done", "/login/short/app"} {
		r := ask(site, "GET", path, "", "Accept", "text/html", "Cookie", loginCookie)
		if r.StatusCode != 404 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	r, page := browse(t, site, "POST", "/login/"+loginID+"/cancel", "Sec-Fetch-Site", "cross-site")
	if r.StatusCode != 403 || len(p.told) != 1 {
		t.Errorf("another site cancelled: %d %s %v", r.StatusCode, page, p.told)
	}
	for _, path := range []string{"/l/" + loginID, "/login/" + loginID + "/app"} {
		r := ask(site, "GET", path, "", "Accept-Language", "en")
		page := text(t, r)
		if r.StatusCode != 200 || strings.Contains(page, "Bank") || !strings.Contains(page, "http://warifu.test"+path) || !strings.Contains(page, "warifu-app://approve?at=") {
			t.Errorf("%s: %d %s", path, r.StatusCode, page)
		}
	}
}

// The page hears at once that its login was answered.
func TestTheWaitPageHearsThatItsLoginMoved(t *testing.T) {
	_, site, p := loginSite(t)
	got := hears(t, site, func() {
		p.change(oidc.Approved)
		close(p.moved)
	})
	if strings.Join(got, "|") != "event: moved|data: /login/"+loginID+"/done" {
		t.Errorf("heard %q", got)
	}
}

// hears opens the page's stream of a site and returns the lines it hears until it ends.
func hears(t *testing.T, site http.Handler, begun func()) []string {
	t.Helper()
	live := httptest.NewServer(site)
	defer live.Close()
	request, err := http.NewRequest(http.MethodGet, live.URL+"/login/"+loginID+"/events", nil)
	must(t, err)
	request.Host = "warifu.test"
	request.Header.Set("Cookie", loginCookie)
	r, err := live.Client().Do(request)
	must(t, err)
	defer r.Body.Close()
	if r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() && lines.Text() != "" { // the first words: it waits
	}
	begun()
	var got []string
	for lines.Scan() {
		if line := lines.Text(); line != "" && line != ": alive" {
			got = append(got, line)
		}
	}
	return got
}

// A page that nobody answers hears that its time is up, and a server that stops lets it go.
func TestTheWaitPageHearsThatItsTimeIsUp(t *testing.T) {
	p := &provider{moved: make(chan struct{})}
	ended := make(chan struct{})
	_, site := site(t, func(c *web.Config) {
		c.Login = &web.Login{Endpoints: p, Claimant: p, Browser: p, Cookie: "warifu-login-80", Alive: time.Millisecond, Ended: ended}
	})
	p.view.State = oidc.Waiting
	if got := hears(t, site, func() { p.change(oidc.Expired) }); strings.Join(got, "|") != "event: moved|data: /login/"+loginID {
		t.Errorf("heard %q", got)
	}
	p.change(oidc.Waiting)
	if got := hears(t, site, func() { close(ended) }); len(got) != 0 {
		t.Errorf("heard %q of a server that stopped", got)
	}
}

// One login does not hold the server's streams: a browser has so many tabs and no more.
func TestALoginsPagesWaitInBoundedNumber(t *testing.T) {
	_, site, p := loginSite(t)
	live := httptest.NewServer(site)
	defer live.Close()
	ctx, leave := context.WithCancel(t.Context())
	open := func() (*http.Response, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, live.URL+"/login/"+loginID+"/events", nil)
		if err != nil {
			return nil, err
		}
		request.Host = "warifu.test"
		request.Header.Set("Cookie", loginCookie)
		return live.Client().Do(request)
	}
	waiting := 0
	for range 20 {
		r, err := open()
		must(t, err)
		defer r.Body.Close()
		if r.StatusCode == http.StatusOK {
			waiting++
		} else if r.StatusCode != http.StatusTooManyRequests {
			t.Errorf("status %d", r.StatusCode)
		}
	}
	if waiting != 8 {
		t.Errorf("%d pages wait at once", waiting)
	}
	leave()
	close(p.moved)
	p.change(oidc.Expired)
	ctx = t.Context()
	for status := 0; status != http.StatusOK; { // those that left make room
		r, err := open()
		must(t, err)
		status = r.StatusCode
		must(t, r.Body.Close())
	}
}

// What the app reads is what the provider asked, and what it answers arrives as it was made.
func TestAnAppAnswersThroughTheAPI(t *testing.T) {
	h, site, p := loginSite(t)
	consent := attest.Consent{Client: "bank", Origin: "https://bank.example", Login: loginID, Attributes: []string{"name"}}
	salt := make([]byte, attest.ConsentSaltLength)
	p.question = oidc.Question{
		Client: p.view.Client, Scopes: []string{"openid", "name"}, Attributes: []string{"name"}, Demands: oidc.ClassPhone, Salt: salt,
		Presence: attest.Presence{Purpose: "login", ClientID: "bank", Origin: "https://bank.example", Transaction: loginID, Time: h.Clock.Now(), Nonce: consent.Nonce(salt)},
		Numbers:  []string{"17", "42", "90"}, Expires: h.Clock.Now().Add(time.Minute),
	}
	p.question.Client.Name = ledger.Name{Japanese: "見本銀行", English: "Sample Bank"}
	p.answered = oidc.Answered{Missing: []string{"name"}}
	own := h.Phone(t)
	own.Own(t, "taro")
	var err error
	own.App.Server, err = phone.NewServer("http://warifu.test", &http.Client{Transport: housetest.InProcess{Handler: site}})
	must(t, err)
	q, err := own.App.Asked(t.Context(), "http://warifu.test/l/"+loginID)
	must(t, err)
	done, err := own.App.Approve(t.Context(), q, phone.Agreement{Attributes: []string{"name"}, Number: "42", Unlock: phone.Unlock{Typed: housetest.Secrets.Authentication}})
	must(t, err)
	if len(done.Missing) != 1 || p.answer.Number != "42" || p.answer.Activation != oidc.ActivationPIN || strings.Join(p.answer.Agreed, " ") != "name" || len(p.answer.Certificate) == 0 || len(p.answer.Signature) == 0 {
		t.Errorf("%+v was answered with %+v", done, p.answer)
	}
	_, err = own.App.Decline(t.Context(), q)
	must(t, err)
	if got := strings.Join(p.told, "; "); got != "question qr; decline" {
		t.Errorf("the provider was told %s", got)
	}
	r := ask(site, "GET", "/api/v1/logins/"+loginID+"/document", "")
	if body := text(t, r); body != "<b>contract</b>" || r.Header.Get("Content-Type") != "application/octet-stream" || r.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("the document: %q %v", body, r.Header)
	}
	for _, bad := range []string{`{}`, `{"certificate":"!","signature":"","agreed":[],"activation":"pin"}`, `{"certificate":"","signature":"","agreed":[],"activation":"guess"}`} {
		problem(t, ask(site, "POST", "/api/v1/logins/"+loginID+"/answer", bad), 422, "request-malformed")
	}
	problem(t, ask(site, "GET", "/api/v1/logins/"+loginID+"?way=side", ""), 422, "request-malformed")
	problem(t, ask(site, "GET", "/api/v1/logins/"+loginID, ""), 422, "request-malformed")
}

// A large answer is read only where a document is to be signed.
func TestOnlyASignedDocumentMakesAnAnswerLarge(t *testing.T) {
	_, site, p := loginSite(t)
	large := `{"agreed":[],"activation":"password","signed":{"certificate":"","document":"` + strings.Repeat("AAAA", 1<<19) + `"}}`
	problem(t, ask(site, "POST", "/api/v1/logins/"+loginID+"/answer", large), 413, "request-too-large")
	if p.answer.Signed != nil {
		t.Error("the provider was handed it")
	}
	p.question.Sign = &oidc.SignView{Name: "contract"}
	if r := ask(site, "POST", "/api/v1/logins/"+loginID+"/answer", large); r.StatusCode != 200 || p.answer.Signed == nil || len(p.answer.Signed.Document) != 3<<19 {
		t.Errorf("%d: %s", r.StatusCode, text(t, r))
	}
}

// A code is drawn as the codes' own library has it.
func TestACodeIsDrawnModuleForModule(t *testing.T) {
	const link = "https://login.example.jp/l/" + loginID
	drawn, err := web.NewQR(link)
	must(t, err)
	want, err := qr.Encode(link, qr.M)
	must(t, err)
	dark := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(drawn.Path, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		run, _ := strconv.Atoi(m[3])
		for i := range run {
			dark[[2]int{x + i, y}] = true
		}
	}
	for y := range want.Size {
		for x := range want.Size {
			if dark[[2]int{x, y}] != want.Black(x, y) {
				t.Fatalf("module %d,%d", x, y)
			}
		}
	}
	if drawn.Size != want.Size {
		t.Errorf("%d modules, want %d", drawn.Size, want.Size)
	}
	if _, err := web.NewQR(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that no code holds")
	}
}
