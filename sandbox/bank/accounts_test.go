package bank_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu/document"
	"warifu/internal/visitortest"
	"warifu/sandbox/bank"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
	"warifu/text"
)

var taro = visitortest.Person{Subject: "b-taro", Class: "phone", Attributes: visitor.Attributes{Name: "割符　太郎", Address: "東京都清瀬市", BirthDate: "1980-02-17", Gender: "male"}}

// certified are taro's attributes as his signing certificate has them.
var certified = visitor.Attributes{Name: "割符　太郎", NameSubstitution: "00000", Address: "東京都清瀬市中里五丁目842番地", BirthDate: "319800217", Gender: "1"}

func good() visitor.Checked {
	return visitor.Checked{
		ID: "v-1", Verdict: "good", Class: "phone", Kind: "signature", Status: visitor.Standing{Status: "good", Source: "ocsp"}, At: time.Date(2026, 6, 1, 3, 0, 0, 0, time.UTC),
		DocumentSHA256: strings.Repeat("ab", 32), Attributes: &certified, Evidence: &visitor.Evidence{ID: "e-1", Until: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
}

type place struct {
	*visitortest.Browser
	t        *testing.T
	provider *visitortest.Provider
	checks   *visitortest.Checks
	clock    *visitortest.Clock
	site     string
}

func open(t *testing.T) *place {
	t.Helper()
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clock := visitortest.NewClock()
	p := &place{t: t, provider: &visitortest.Provider{Next: taro, Clock: clock}, checks: visitortest.NewChecks(t), clock: clock}
	p.checks.Say(good())
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	p.site = site.URL
	bank.New(bank.Config{
		Origin: site.URL, Provider: p.provider, Service: bank.Service{Address: p.checks.URL}, Clock: clock, Folder: f, Officer: "kenshi",
	}).Routes(mux)
	p.Browser = visitortest.NewBrowser(t, site.URL)
	return p
}

var salary = bank.Opening{Purpose: "salary", Occupation: "employee", Method: "signature"}

func (p *place) begin(in bank.Opening) (bank.Account, string) {
	p.t.Helper()
	var a bank.Account
	if got := p.Post("/api/accounts", in, &a); got != "" {
		p.t.Fatal(got)
	}
	var to struct{ Address string }
	if got := p.Post("/api/accounts/"+a.ID+"/sign", struct{}{}, &to); got != "" {
		p.t.Fatal(got)
	}
	return a, to.Address
}

// opened opens an account for taro and returns it.
func (p *place) opened() bank.Account {
	p.t.Helper()
	p.Login()
	a, address := p.begin(salary)
	if status, to := p.Return(address, ""); status != http.StatusSeeOther || to != "/accounts/"+a.ID {
		p.t.Fatalf("%d %s", status, to)
	}
	return p.look(a.ID)
}

func (p *place) look(id string) (a bank.Account) {
	p.t.Helper()
	if got := p.Fetch("/api/accounts/"+id, &a); got != "" {
		p.t.Fatal(got)
	}
	return a
}

// officer asks as the compliance officer.
func (p *place) officer(method, path, password string) (int, []byte) {
	p.t.Helper()
	r, _ := http.NewRequestWithContext(p.t.Context(), method, p.site+path, nil)
	r.SetBasicAuth("officer", password)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(answer.Body)
	return answer.StatusCode, body.Bytes()
}

func TestASignatureOpensAnAccountAndFilesARecord(t *testing.T) {
	p := open(t)
	a := p.opened()
	if a.State != "open" || a.Record == nil || a.Record.Customer != certified || a.Record.CertificateOn != "phone" || a.Record.Verification != "v-1" || a.Record.Evidence.ID != "e-1" {
		t.Errorf("%+v %+v", a, a.Record)
	}
	asked := p.checks.Asked()
	if len(asked) != 1 || asked[0].Form != "pdf" || len(asked[0].Policy.Attributes) != 4 || len(asked[0].Policy.Accept) != 2 {
		t.Fatalf("%+v", asked)
	}
	if hooks := p.checks.Hooks(); len(hooks) != 1 || hooks[0] != p.site+"/api/told/"+a.ID {
		t.Errorf("told at %v", hooks)
	}
	status, body := p.officer(http.MethodGet, "/api/records", "kenshi")
	var list []bank.Account
	if err := json.Unmarshal(body, &list); err != nil || status != http.StatusOK || len(list) != 1 || list[0].Number != a.Number {
		t.Errorf("%d %s", status, body)
	}
	if bytes.Contains(body, []byte("MII")) {
		t.Error("the list has a certificate in it")
	}
	if _, body = p.officer(http.MethodGet, "/api/records?day=2026-05-31", "kenshi"); strings.TrimSpace(string(body)) != "[]" {
		t.Errorf("the day before: %s", body)
	}
	status, file := p.officer(http.MethodGet, "/officer/"+a.ID+"/record.pdf", "kenshi")
	if _, err := document.ReadPDF(file); err != nil || status != http.StatusOK {
		t.Errorf("%d %v", status, err)
	}
	if _, page := p.Get("/accounts/" + a.ID); !strings.Contains(page, "Every kind of transaction") {
		t.Error(page)
	}
}

func TestTheOfficersPagesAreTheOfficersAlone(t *testing.T) {
	p := open(t)
	a := p.opened()
	for _, path := range []string{"/officer", "/api/records", "/api/records/" + a.ID, "/officer/" + a.ID + "/record.pdf"} {
		if status, _ := p.Get(path); status != http.StatusUnauthorized {
			t.Errorf("%s for a customer: %d", path, status)
		}
		if status, _ := p.officer(http.MethodGet, path, "wrong"); status != http.StatusUnauthorized {
			t.Errorf("%s with a wrong password: %d", path, status)
		}
		if status, body := p.officer(http.MethodGet, path, "kenshi"); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := p.officer(http.MethodGet, "/api/records?day=yesterday", "kenshi"); status != http.StatusUnprocessableEntity {
		t.Errorf("a day that is none: %d", status)
	}
}

func TestWhoIsTooYoungIsToldWhatToDo(t *testing.T) {
	for birth, want := range map[string]string{
		"2008-06-02": "bank-guardian-needed", "2008-06-01": "", "2011-06-01": "bank-guardian-needed", "2011-06-02": "bank-too-young", "1980-00-00": "visitor-birth-date",
	} {
		p := open(t)
		p.provider.Next.Attributes.BirthDate = birth
		p.Login()
		if got := p.Post("/api/accounts", salary, nil); got != want {
			t.Errorf("born %s: %q, want %q", birth, got, want)
		}
	}
}

func TestALoginAloneOpensAnAccountWithLimits(t *testing.T) {
	p := open(t)
	p.Login()
	var a bank.Account
	if got := p.Post("/api/accounts", bank.Opening{Purpose: "living", Occupation: "none", Method: "login"}, &a); got != "" || a.State != "limited" || a.Record != nil {
		t.Fatalf("%q %+v", got, a)
	}
	link := bank.Link{Number: a.Number, Name: "割符太郎", BirthDate: "1980-02-17"}
	if got := p.Post("/api/links", link, nil); got != "bank-link-refused" {
		t.Errorf("a link to an account without identity: %q", got)
	}
	var to struct{ Address string }
	if got := p.Post("/api/accounts/"+a.ID+"/sign", struct{}{}, &to); got != "" {
		t.Fatal(got)
	}
	p.Return(to.Address, "")
	if a = p.look(a.ID); a.State != "open" {
		t.Errorf("after the signature: %s", a.State)
	}
	if got := p.Post("/api/links", link, nil); got != "" {
		t.Errorf("a link: %q", got)
	}
	link.Name = "割符次郎"
	if got := p.Post("/api/links", link, nil); got != "bank-link-refused" {
		t.Errorf("a link by another name: %q", got)
	}
}

func TestAnOpeningIsRefused(t *testing.T) {
	hanako := certified
	hanako.Name = "割符　花子"
	young := certified
	young.BirthDate = "420100217"
	for name, c := range map[string]struct {
		before func(*place)
		more   string
		says   string
	}{
		"declined":             {func(*place) {}, "error=access_denied", ""},
		"another person signs": {func(p *place) { p.provider.Next.Subject = "b-hanako" }, "", "Somebody other"},
		"another person's key": {func(p *place) { c := good(); c.Attributes = &hanako; p.checks.Say(c) }, "", "Somebody other"},
		"another birth date":   {func(p *place) { c := good(); c.Attributes = &young; p.checks.Say(c) }, "", "Somebody other"},
		"moved house": {func(p *place) {
			p.checks.Say(visitor.Checked{Verdict: "bad", Status: visitor.Standing{Status: "revoked"}, Reasons: []visitor.Why{{Problem: "certificate-revoked"}}})
		}, "", "After a move"},
		"the status cannot be had": {func(p *place) {
			p.checks.Say(visitor.Checked{Verdict: "unknown", Reasons: []visitor.Why{{Problem: "status-unavailable"}}})
		}, "", "could not be confirmed"},
		"attributes not told": {func(p *place) { c := good(); c.Attributes = nil; p.checks.Say(c) }, "", "could not be had"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			p.Login()
			a, address := p.begin(salary)
			c.before(p)
			if status, page := p.Return(address, c.more); status < 400 || !strings.Contains(page, c.says) {
				t.Errorf("%d %s", status, page)
			}
			if a = p.look(a.ID); a.State != "applied" || a.Record != nil {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestAnAccountIsSignedOnce(t *testing.T) {
	p := open(t)
	p.Login()
	a, first := p.begin(salary)
	var second struct{ Address string }
	p.Post("/api/accounts/"+a.ID+"/sign", struct{}{}, &second)
	p.Return(first, "")
	if status, _ := p.Return(second.Address, ""); status != http.StatusConflict {
		t.Errorf("the other tab: %d", status)
	}
	if got := p.Post("/api/accounts/"+a.ID+"/sign", struct{}{}, nil); got != "bank-account-signed" {
		t.Errorf("again: %q", got)
	}
	for range 4 {
		p.begin(salary)
	}
	if got := p.Post("/api/accounts", salary, nil); got != "bank-accounts-too-many" {
		t.Errorf("a sixth: %q", got)
	}
	if got := p.Post("/api/accounts", bank.Opening{Purpose: "gambling", Occupation: "employee", Method: "signature"}, nil); got != "bank-opening-incomplete" {
		t.Errorf("%q", got)
	}
}

// teller signs events as the verification service does.
type teller struct {
	p   *place
	key *ecdsa.PrivateKey
}

func (p *place) teller() teller {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	p.checks.JWKS, _ = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	return teller{p, key}
}

func (s teller) tell(id, audience, verification, status, reason string, sequence int) int {
	s.p.t.Helper()
	payload, _ := json.Marshal(map[string]any{
		"iss": s.p.checks.URL, "aud": audience, "jti": "j" + string(rune('0'+sequence)), "sub_id": map[string]string{"format": "opaque", "id": verification},
		"events": map[string]any{"urn:warifu:event:certificate-status": map[string]any{"sequence": sequence, "status": status, "reason": reason, "at": s.p.clock.Now().Unix()}},
	})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: crypto.Signer(s.key), KeyID: "k"}}, nil)
	if err != nil {
		s.p.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		s.p.t.Fatal(err)
	}
	token, _ := signed.CompactSerialize()
	status2, _ := s.p.Do(http.MethodPost, "/api/told/"+id, "application/secevent+jwt", token)
	return status2
}

func TestAnAccountFollowsItsCertificate(t *testing.T) {
	p := open(t)
	a := p.opened()
	s := p.teller()
	steps := []struct {
		status, reason string
		sequence, code int
		state          string
	}{
		{"good", "", 1, http.StatusAccepted, "open"},
		{"revoked", "certificateHold", 2, http.StatusAccepted, "frozen"},
		{"good", "", 1, http.StatusAccepted, "frozen"}, // an old one once more lifts nothing
		{"good", "", 3, http.StatusAccepted, "open"},
		{"revoked", "affiliationChanged", 4, http.StatusAccepted, "frozen"},
	}
	for i, step := range steps {
		if code := s.tell(a.ID, bank.ClientID, "v-1", step.status, step.reason, step.sequence); code != step.code {
			t.Errorf("step %d: %d", i, code)
		}
		if a = p.look(a.ID); a.State != step.state {
			t.Errorf("step %d: %s, want %s", i, a.State, step.state)
		}
	}
	if got := p.Post("/api/links", bank.Link{Number: a.Number, Name: "割符太郎", BirthDate: "1980-02-17"}, nil); got != "bank-link-refused" {
		t.Errorf("a link to a frozen account: %q", got)
	}
	for name, code := range map[string]int{
		"another's audience": s.tell(a.ID, "somebody-else", "v-1", "good", "", 5), "another verification": s.tell(a.ID, bank.ClientID, "v-2", "good", "", 5),
		"another key": p.teller().p.forged(a.ID),
	} {
		if code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := s.tell("000009-x", bank.ClientID, "v-1", "good", "", 5); code != http.StatusNotFound {
		t.Errorf("no such account: %d", code)
	}
	if a = p.look(a.ID); a.State != "frozen" {
		t.Errorf("what was not confirmed thawed the account")
	}
}

// forged sends a token of a key that nobody published.
func (p *place) forged(id string) int {
	jwks := p.checks.JWKS
	other := p.teller()
	p.checks.JWKS = jwks
	return other.tell(id, bank.ClientID, "v-1", "good", "", 6)
}

// B.10: the present state (現況確認), and the latest attributes after a move.
func TestTheLatestAttributesAreAskedOfTheHolder(t *testing.T) {
	p := open(t)
	a := p.opened()
	since := p.clock.Now().Add(time.Minute)
	p.clock.Forward(20 * time.Minute)
	dead := good()
	dead.Now = &visitor.Standing{Status: "revoked", Reason: "affiliationChanged", Since: &since}
	p.checks.Say(dead)
	if status, body := p.officer(http.MethodPost, "/api/records/"+a.ID+"/check", "kenshi"); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if a = p.look(a.ID); a.State != "frozen" {
		t.Errorf("after a move: %s", a.State)
	}
	p.checks.Latest(visitor.Asked{ID: "r-1", State: "waiting"})
	if status, body := p.officer(http.MethodPost, "/api/records/"+a.ID+"/latest", "kenshi"); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if a = p.look(a.ID); a.State != "frozen" || a.Latest == nil {
		t.Errorf("while it waits: %+v", a)
	}
	p.checks.Latest(visitor.Asked{ID: "r-1", State: "granted", Changed: true, Attributes: &visitor.Attributes{Address: "大阪府大阪市北区"}})
	if a = p.look(a.ID); a.State != "open" || a.Record.Customer.Address != "大阪府大阪市北区" || a.Record.Former == nil || a.Record.Former.Address != certified.Address {
		t.Errorf("after the answer: %+v %+v", a, a.Record)
	}
	if _, body := p.officer(http.MethodPost, "/api/records/"+a.ID+"/check", "kenshi"); !strings.Contains(string(body), `"state":"open"`) {
		t.Errorf("the old certificate freezes it again: %s", body)
	}
}

func TestAccountsAreTheirHoldersAlone(t *testing.T) {
	p := open(t)
	a := p.opened()
	other := visitortest.NewBrowser(t, p.site)
	if got := other.Fetch("/api/accounts/"+a.ID, nil); got != "visitor-absent" {
		t.Errorf("%q", got)
	}
	p.provider.Next.Subject = "b-hanako"
	other.Login()
	if got := other.Fetch("/api/accounts/"+a.ID, nil); got != "bank-account-unknown" {
		t.Errorf("%q", got)
	}
	if status, page := other.Get("/accounts/" + a.ID + "/form.pdf"); status != http.StatusNotFound || strings.Contains(page, "%PDF") {
		t.Errorf("%d", status)
	}
}

func TestPagesOfAccountsAskForSentencesThatExist(t *testing.T) {
	p := open(t)
	a := p.opened()
	p.Fill("/accounts", "purpose", "living", "occupation", "student", "method", "login")
	for _, l := range text.Languages {
		for _, path := range []string{"/", "/accounts", "/accounts/" + a.ID} {
			if _, page := p.Get(path + "?lang=" + string(l)); strings.Contains(page, ">bank.") || strings.Contains(page, " bank.") {
				t.Errorf("%s in %s:\n%s", path, l, page)
			}
		}
		if _, page := p.officer(http.MethodGet, "/officer?lang="+string(l), "kenshi"); bytes.Contains(page, []byte(">bank.")) {
			t.Errorf("the officer's in %s:\n%s", l, page)
		}
	}
}

// A person may untick what a service asks for; then it says what it cannot do.
func TestAttributesMayBeWithheld(t *testing.T) {
	p := open(t)
	p.provider.Next.Attributes = visitor.Attributes{}
	p.Login()
	if got := p.Post("/api/accounts", salary, nil); got != "visitor-attributes-withheld" {
		t.Errorf("%q", got)
	}
}

// A service that cannot be asked to tell of the certificate is asked again; the account is open.
func TestAnAccountIsWatchedAsSoonAsTheServiceHears(t *testing.T) {
	p := open(t)
	p.checks.Deaf(true)
	p.Login()
	a, address := p.begin(salary)
	if status, to := p.Return(address, ""); status != http.StatusSeeOther || to != "/accounts/"+a.ID {
		t.Fatalf("%d %s", status, to)
	}
	if status, page := p.Get("/accounts/" + a.ID); !strings.Contains(page, "Every kind of transaction") {
		t.Errorf("%d %s", status, page)
	}
	if len(p.checks.Hooks()) != 0 {
		t.Error("it heard all the same")
	}
	p.checks.Deaf(false)
	if a = p.look(a.ID); !a.Watched || len(p.checks.Hooks()) != 1 {
		t.Errorf("%+v", a)
	}
	p.look(a.ID)
	if n := len(p.checks.Hooks()); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
