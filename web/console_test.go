package web_test

import (
	"context"
	escape "html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/console"
	"warifu/internal/housetest"
	"warifu/internal/passkeytest"
	"warifu/registration"
	"warifu/store"
	"warifu/web"
)

// browser is one browser at the console: its cookie, and where it last was.
type browser struct {
	t      *testing.T
	site   http.Handler
	cookie string // the session's
	call   string // the call's
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
	if b.cookie+b.call != "" {
		headers = append(headers, "Cookie", b.cookie+"; "+b.call)
	}
	if form != nil {
		headers = append(headers, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	}
	r := ask(b.site, method, target, form.Encode(), headers...)
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, "warifu-call") {
			b.call = c.Name + "=" + c.Value
		}
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

// staffed is a house with people of every role at the console, each with a browser.
func staffed(t *testing.T) (*housetest.House, map[string]*browser, map[string]*passkeytest.Authenticator) {
	t.Helper()
	h, admin, key := consoleHouse(t)
	all, keys := map[string]*browser{"nao": admin}, map[string]*passkeytest.Authenticator{"nao": key}
	for _, one := range [][2]string{{"aoi", "hotline"}, {"ken", "hotline"}, {"rin", "registrar"}, {"sei", "registrar"}, {"mio", "auditor"}} {
		all[one[0]] = newBrowser(t, admin.site)
		keys[one[0]] = all[one[0]].enrolled(invited(t, admin, one[0], one[1]), "")
		all[one[0]].see("Hello " + one[0])
	}
	return h, all, keys
}

// invited has an administrator invite somebody and returns the link's path.
func invited(t *testing.T, admin *browser, name, role string) string {
	t.Helper()
	admin.open("/console/staff").do("/console/staff/invitations", "name", name, "role", role).see("A one-time link")
	return oneTimeLink.FindString(admin.page)
}

func TestACallAtTheDeskSuspendsAndFourEyesRevoke(t *testing.T) {
	h, at, keys := staffed(t)
	id := ownContact(t, h)
	aoi, ken, rin, sei := at["aoi"], at["ken"], at["rin"], at["sei"]
	aoi.open("/console").see("Hotline").seeNot("Audit")
	aoi.open("/console/hotline").see("How is your name read?")
	aoi.do("/console/hotline", "reading", "はなこ", "birth", "いつか", "telephone", "０９０−１１１１−２２２２").see("The contact has a mistake", "Field: Date of birth", `aria-invalid="true"`)
	aoi.do("/console/hotline", "reading", "はなこ", "birth", "１９８５−１１−０３", "telephone", "０９０−１１１１−２２２２").see("One person fits", "Suspend now", "data-call-since")
	aoi.seeNot("はなこ", "1985")
	call := aoi.at
	stale := tokenField.FindStringSubmatch(aoi.page)[1]
	aoi.do(call+"/suspend", "caller", "holder", "phone", "lost", "card", "kept").see("Suspended. The holder is being told.", "suspension")
	wantStates(t, h, id, warifu.CredentialHeld)
	aoi.post(call+"/suspend", url.Values{"token": {stale}, "caller": {"holder"}, "phone": {"lost"}, "card": {"kept"}}).see("This was sent already")
	aoi.open(call).do(call+"/propose", "verb", "resume", "cause", "found").see("The call-back is not on record")
	aoi.do(call+"/call-back", "outcome", "answered").see("The call-back is on record")
	aoi.do(call+"/propose", "verb", "resume", "cause", "found").see("Another operator has to confirm", "A proposal waits")
	aoi.open("/console/queue").see("ask another operator to confirm").seeNot("Confirm: resume")
	proposal := proposalOf(t, ken.open("/console/queue").see("it was found", "Confirm: resume"))
	aoi.do(proposal, "verb", "resume").see("A second operator has to confirm this")
	ken.do(proposal, "verb", "resume").see("Resumed. The holder is being told.", "Nothing waits.")
	wantStates(t, h, id, warifu.CredentialActive)

	rin.open("/console/hotline").do("/console/hotline", "reading", "はなこ", "birth", "1985-11-03", "telephone", "09011112222")
	rin.do(rin.at+"/propose", "verb", "revoke", "cause", "court-order").see("Another operator has to confirm")
	ken.open("/console/queue").see("Nothing waits.")
	proposal = proposalOf(t, sei.open("/console/queue").see("a court's order"))
	h.Clock.Forward(6 * time.Minute)
	sei.open("/console/queue").do(proposal, "verb", "revoke").see("Prove it again")
	sei.do("/console/step-up", "back", "/console/queue", "answer", string(keys["sei"].Get(t, sei.options()))).see("Confirm: revoke for good")
	sei.do(proposal, "verb", "revoke").see("Revoked. The holder is being told.")
	wantStates(t, h, id, warifu.CredentialRevoked)
	h.Check(t)

	mio := at["mio"]
	mio.open("/console/calls").see("suspension → call-back → proposal → confirmation")
	mio.open("/console/audit?actor=operator:aoi&verb=propose").see("operator:aoi", "cause: found")
	mio.open("/console/audit?subject="+id).see("operators:rin+sei").seeNot("はなこ", "0901111")
	mio.open("/console/audit?from=yesterday").see("The search has a mistake")
	mio.open("/console/audit?verb=never").see("Nothing fits.")
	export := mio.open("/console/audit?verb=console-enrol").do("/console/audit/export", "verb", "console-enrol")
	export.see(`"actor": "operator:mio"`)
	token := tokenField.FindStringSubmatch(mio.open("/console/audit").see("console-audit-export").page)[1]
	for range 2 { // a file leaves its page where it is, with everything on it
		mio.post("/console/audit/export", url.Values{"token": {token}}).see(`"actor": "operator:mio"`)
	}
	rin.post("/console/audit/export", url.Values{"token": {token}}).see("This is not for your role")
	mio.post("/console/audit/export", url.Values{"token": {"AAAA"}}).see("This form cannot be used")
	mio.post("/console/audit/wholeness", url.Values{"token": {token}}).see("have their line")
	rin.open("/console/audit").see("This is not for your role")
	mio.open("/console/hotline").see("This is not for your role")
}

// ownContact has somebody register a contact and own a phone; the application's identifier.
func ownContact(t *testing.T, h *housetest.House) string {
	t.Helper()
	p := h.Phone(t)
	d := p.Draft(t, "hanako")
	s := housetest.Submission(d)
	s.Contact = &registration.Contact{Reading: "はなこ", BirthDate: "1985-11-03", Telephone: "090-1111-2222"}
	_, err := h.Registrar.Apply(context.Background(), s)
	must(t, err)
	a, err := p.Submit(t, d)
	must(t, err)
	h.Drain(t)
	must(t, p.Personalize())
	return a.ID
}

func wantStates(t *testing.T, h *housetest.House, id string, want warifu.CredentialState) {
	t.Helper()
	h.Read(t, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfApplication(id)
		if len(all) != 2 {
			t.Errorf("%d credentials", len(all))
		}
		for _, c := range all {
			if c.State != want {
				t.Errorf("%s is %s, want %s", c.Kind, c.State, want)
			}
		}
		return err
	})
}

var proposalForm = regexp.MustCompile(`action="(/console/queue/p[a-z2-7]{26})"`)

func proposalOf(t *testing.T, b *browser) string {
	t.Helper()
	m := proposalForm.FindStringSubmatch(b.page)
	if m == nil {
		t.Fatalf("nothing to confirm: %s", b.page)
	}
	return m[1]
}

func TestLostPasskeysLeaversAndLinks(t *testing.T) {
	h, at, keys := staffed(t)
	nao, aoi := at["nao"], at["aoi"]
	link := invited(t, nao, "yui", "catalogue")
	newBrowser(t, nao.site).enrolled(link, "")
	newBrowser(t, nao.site).open(link).see("This link does not work")
	nao.open("/console/staff").do("/console/staff/invitations", "name", "yui", "role", "hotline").see("That name is taken")
	nao.do("/console/staff/invitations", "name", "Ü ü", "role", "hotline").see("letters it cannot have")
	late := invited(t, nao, "emi", "hotline")
	h.Clock.Forward(10 * time.Minute)
	nao.open("/console/staff/aoi/lost").see("Prove it again")
	nao.do("/console/step-up", "back", "/console/staff/aoi/lost", "answer", string(keys["nao"].Get(t, nao.options()))).see("End aoi's passkey?")
	again := oneTimeLink.FindString(nao.do("/console/staff/aoi/lost").see("A one-time link").page)
	aoi.open("/console").see("Sign in")
	aoi.signIn(keys["aoi"]).see("This passkey is not known here")
	keys["aoi"] = aoi.enrolled(again, "")
	aoi.see("Hello aoi", "hotline")
	nao.open("/console/staff/aoi/removal").see("Remove aoi?").do("/console/staff/aoi/removal").see("Removed.", "removed on")
	aoi.open("/console").see("Sign in")
	aoi.signIn(keys["aoi"]).see("This passkey is not known here")
	nao.do("/console/staff/nao/removal").see("Not about yourself")
	nao.open("/console/staff").do("/console/staff/emi/withdrawal").see("The invitation was withdrawn")
	newBrowser(t, nao.site).open(late).see("This link does not work")
	late = invited(t, nao, "emi", "hotline")
	for range 5 {
		h.Clock.Forward(13 * time.Minute)
		nao.open("/console")
	}
	newBrowser(t, nao.site).open(late).see("This link does not work")
	at["rin"].signIn(keys["rin"]).open("/console/staff").see("This is not for your role")
}

func TestTheConsoleRefusesWhatIsForged(t *testing.T) {
	h, nao, key := consoleHouse(t)
	cookie := nao.cookie
	nao.post("/console/sign-out", url.Values{}).see("This form cannot be used")
	nao.post("/console/sign-out", url.Values{"token": {"AAAA"}}).see("This form cannot be used")
	foreign := ask(nao.site, "POST", "/console/sign-out", "token=x", "Cookie", cookie, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if foreign.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form: %d", foreign.StatusCode)
	}
	thief := newBrowser(t, nao.site)
	thief.agent, thief.cookie = "another browser", cookie
	thief.open("/console").see("Sign in")
	thief.cookie = ""
	thief.open("/console/sign-in")
	question := thief.options()
	h.Clock.Forward(6 * time.Minute)
	thief.do("/console/sign-in", "answer", string(key.Get(t, question))).see("That took too long")
	question = thief.options()
	answer := string(key.Get(t, question))
	thief.do("/console/sign-in", "answer", answer).see("Hello nao")
	second := newBrowser(t, nao.site)
	second.post("/console/sign-in", url.Values{"answer": {answer}}).see("This answer was used already")
	for said, wrong := range map[string]func(*passkeytest.Authenticator){
		"This passkey is not known here":    func(a *passkeytest.Authenticator) { a.Origin = "https://elsewhere.example" },
		"This passkey is not known here ":   func(a *passkeytest.Authenticator) { a.Unverified = true },
		"This passkey may have been copied": func(a *passkeytest.Authenticator) { a.Counter = 0 },
	} {
		bad := *key
		wrong(&bad)
		second.open("/console/sign-in")
		second.do("/console/sign-in", "answer", string(bad.Get(t, second.options()))).see(strings.TrimSpace(said))
	}
	second.open("/console/sign-in").do("/console/sign-in", "answer", "{").see("cannot be read")
	second.post("/console/sandbox", url.Values{"name": {"nao"}}).see("Signing in takes a passkey here")
	nao.open("/console/nowhere")
	if nao.status != http.StatusNotFound {
		t.Errorf("a page that is none: %d", nao.status)
	}
}

func TestTheSandboxsSignInIsForThisMachineAlone(t *testing.T) {
	_, site := site(t, func(c *web.Config) {
		own := c.Console.Config
		own.Sandbox, own.Origin = true, "http://127.0.0.1:8400"
		var err error
		c.Console, err = console.New(own)
		must(t, err)
		must(t, c.Console.Settle(context.Background()))
		c.Hosts = append(c.Hosts, "127.0.0.1:8400", "localhost:8400")
	})
	signIn := func(host, from, forwarded string) int {
		r := httptest.NewRequest("POST", "http://"+host+"/console/sandbox", strings.NewReader("name=aoi"))
		r.RemoteAddr = from
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w.Code
	}
	for _, host := range []string{"127.0.0.1:8400", "localhost:8400"} {
		if got := signIn(host, "127.0.0.1:5000", ""); got != http.StatusSeeOther {
			t.Errorf("at %s: %d", host, got)
		}
	}
	for _, outside := range [][3]string{{"127.0.0.1:8400", "192.0.2.7:5000", ""}, {"warifu.test", "127.0.0.1:5000", ""}, {"127.0.0.1:8400", "127.0.0.1:5000", "192.0.2.7"}} {
		if got := signIn(outside[0], outside[1], outside[2]); got != http.StatusForbidden {
			t.Errorf("%v: %d", outside, got)
		}
	}
}
