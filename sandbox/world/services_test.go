package world_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/document"
	"warifu/internal/worldtest"
	"warifu/sandbox/bank"
	"warifu/sandbox/carrier"
	"warifu/sandbox/cashless"
	"warifu/sandbox/phones"
	"warifu/sandbox/portal"
	"warifu/sandbox/visitor"
	"warifu/sandbox/world"
)

// customer is a person with a browser and a phone, at the doors alone.
type customer struct {
	t       *testing.T
	w       *world.World
	browser *http.Client
	phone   string
}

func newCustomer(t *testing.T, w *world.World, phone string) *customer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &customer{t, w, &http.Client{Jar: jar}, phone}
}

// outfit puts taro's certificates on the first phone.
func outfit(t *testing.T, w *world.World) *customer {
	t.Helper()
	if _, err := w.Phones.Apply(t.Context(), "phone-1", application(w)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		a, err := w.Phones.Status(t.Context(), "phone-1")
		return err == nil && a.State == warifu.ApplicationIssued
	})
	if _, err := w.Phones.Personalize(t.Context(), "phone-1", phones.Personalize{}); err != nil {
		t.Fatal(err)
	}
	// Statuses are told to the second: what is signed in the very second in which the certificate
	// came into use cannot be shown to have been signed after.
	if err := w.Clock.Forward(2 * time.Second); err != nil {
		t.Fatal(err)
	}
	return newCustomer(t, w, "phone-1")
}

// do sends JSON, or fetches where there is none, and reads the answer into out. It returns the
// problem's slug, "" for none.
func (c *customer) do(address string, in, out any) string {
	c.t.Helper()
	method, body := http.MethodGet, []byte(nil)
	if in != nil {
		method = http.MethodPost
		body, _ = json.Marshal(in)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	status, answer, _ := c.send(r)
	if status >= 400 {
		var p struct{ Type string }
		if err := json.Unmarshal(answer, &p); err != nil {
			c.t.Fatalf("%s: %d %s", address, status, answer)
		}
		return strings.TrimPrefix(p.Type, "urn:warifu:problem:")
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			c.t.Fatalf("%s: %v: %s", address, err, answer)
		}
	}
	return ""
}

func (c *customer) send(r *http.Request) (status int, body []byte, at *url.URL) {
	c.t.Helper()
	r.Header.Set("Accept-Language", "en")
	answer, err := c.browser.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		c.t.Fatal(err)
	}
	return answer.StatusCode, body, answer.Request.URL
}

// open opens an address as a browser does and follows where it leads.
func (c *customer) open(address string) (status int, page string, at string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	s, body, u := c.send(r)
	return s, string(body), u.String()
}

// waiting opens the provider's page of a login and returns the link for the app.
func (c *customer) waiting(address string) string {
	c.t.Helper()
	status, page, at := c.open(address)
	if status != http.StatusOK || !strings.HasPrefix(at, c.w.Places.Server+"/login/") {
		c.t.Fatalf("%s leads to %s: %d %s", address, at, status, page)
	}
	return at + "/app"
}

// answer has the phone approve, and comes back where the app opens the browser.
func (c *customer) answer(link string, in phones.Approve) (status int, page string) {
	c.t.Helper()
	in.Link.Link = link
	decided, err := c.w.Phones.Approve(c.t.Context(), c.phone, in)
	if err != nil {
		c.t.Fatal(err)
	}
	status, page, _ = c.open(decided.Return)
	return status, page
}

// refused has the phone try, and wants it refused for that reason.
func (c *customer) refused(want, link string, in phones.Approve) {
	c.t.Helper()
	in.Link.Link = link
	_, err := c.w.Phones.Approve(c.t.Context(), c.phone, in)
	if err == nil || warifu.ProblemOf(err).Problem != want {
		c.t.Errorf("%v, want %s", err, want)
	}
}

var (
	byPIN      = phones.Approve{Unlock: phones.Unlock{PIN: "2468"}}
	byPassword = phones.Approve{Password: "PHONE123"}
)

// enter logs in at a service.
func (c *customer) enter(place string) {
	c.t.Helper()
	if status, page := c.answer(c.waiting(place+"/visit"), byPIN); status != http.StatusOK {
		c.t.Fatalf("%s: %d %s", place, status, page)
	}
	var who visitor.Visitor
	if slug := c.do(place+"/api/visit", nil, &who); slug != "" || who.Subject == "" {
		c.t.Fatalf("%s: %q %+v", place, slug, who)
	}
}

// begin asks a service for the way to sign or confirm, and returns the link for the app.
func (c *customer) begin(address string) string {
	c.t.Helper()
	var to struct{ Address string }
	if slug := c.do(address, struct{}{}, &to); slug != "" {
		c.t.Fatalf("%s: %q", address, slug)
	}
	return c.waiting(to.Address)
}

// The four services in one life: records, an application, an account, a contract, a payment;
// and what they do when the phone is lost and found, and when its holder moves.
func TestServicesWithATruePhone(t *testing.T) {
	w := worldtest.Stand(t)
	c := outfit(t, w)
	atThePortal(t, c)
	account := atTheBank(t, c)
	contract := atTheCarrier(t, c)
	atThePaymentService(t, c, account)
	whenThePhoneIsOnHold(t, c, account)
	whenTheHolderMoves(t, c, account, contract)
}

// R59: own records after a login, and a form signed on the phone.
func atThePortal(t *testing.T, c *customer) {
	p := c.w.Places.Portal
	if slug := c.do(p+"/api/records", nil, nil); slug != "visitor-absent" {
		t.Errorf("records without a login: %q", slug)
	}
	c.enter(p)
	var who visitor.Visitor
	c.do(p+"/api/visit", nil, &who)
	if who.Attributes.Name != "割符　太郎" || who.Attributes.BirthDate != "1980-02-17" || who.Attributes.Address != "" || who.Class != "phone" || who.Activation != "pin" {
		t.Errorf("%+v", who)
	}
	var r portal.Records
	if slug := c.do(p+"/api/records", nil, &r); slug != "" || len(r.Medicines) == 0 {
		t.Errorf("%q %+v", slug, r)
	}
	var a portal.Application
	wish := portal.Wish{Procedure: "moving-out", Town: "13221", Answers: map[string]string{"address": "大阪府大阪市北区", "day": "2026-07-01", "telephone": "070-0100-1000"}}
	if slug := c.do(p+"/api/applications", wish, &a); slug != "" {
		t.Fatal(slug)
	}
	link := c.begin(p + "/api/applications/" + a.ID + "/sign")
	status, page := c.answer(link, byPassword)
	if status != http.StatusOK || !strings.Contains(page, "Handed in") || !strings.Contains(page, "town hall") {
		t.Errorf("%d %s", status, page)
	}
	if slug := c.do(p+"/api/applications/"+a.ID, nil, &a); slug != "" || a.Receipt == "" || a.Verification == "" || a.Class != "phone" {
		t.Errorf("%q %+v", slug, a)
	}
	// Somebody who gives up: nothing is submitted.
	if slug := c.do(p+"/api/applications", wish, &a); slug != "" {
		t.Fatal(slug)
	}
	link = c.begin(p + "/api/applications/" + a.ID + "/sign")
	c.refused("secret-wrong", link, phones.Approve{Password: "WRONG123"})
	in := phones.Approve{Decline: true}
	in.Link.Link = link
	if _, err := c.w.Phones.Approve(t.Context(), c.phone, in); err != nil {
		t.Error(err)
	}
	if status, page, _ := c.open(strings.TrimSuffix(link, "/app")); !strings.Contains(page, "problem") {
		t.Errorf("after declining: %d %s", status, page)
	}
	if c.do(p+"/api/applications/"+a.ID, nil, &a); a.State != "draft" {
		t.Errorf("%+v", a)
	}
}

func atTheBank(t *testing.T, c *customer) bank.Account {
	b := c.w.Places.Bank
	c.enter(b)
	var a bank.Account
	if slug := c.do(b+"/api/accounts", bank.Opening{Purpose: "salary", Occupation: "employee", Method: "signature"}, &a); slug != "" {
		t.Fatal(slug)
	}
	status, page := c.answer(c.begin(b+"/api/accounts/"+a.ID+"/sign"), byPassword)
	if status != http.StatusOK || !strings.Contains(page, a.Number) {
		t.Fatalf("%d %s", status, page)
	}
	if slug := c.do(b+"/api/accounts/"+a.ID, nil, &a); slug != "" || a.State != "open" || a.Record == nil {
		t.Fatalf("%q %+v", slug, a)
	}
	r := a.Record
	if r.Customer.Name != "割符　太郎" || r.Customer.Address != "東京都清瀬市中里五丁目842番地" || r.Customer.Gender != "1" || r.CertificateOn != "phone" || r.CertificateFor != "signature" || r.Status.Status != "good" || r.Verification == "" || r.Evidence == nil {
		t.Errorf("%+v", r)
	}
	readable(t, a.Signed)
	// The verification service has told the first event by itself.
	waitFor(t, func() bool {
		c.do(b+"/api/accounts/"+a.ID, nil, &a)
		return len(a.Told) > 0
	})
	if a.State != "open" || a.Told[0].Status != "good" || a.Told[0].Sequence != 1 {
		t.Errorf("%+v", a.Told)
	}
	return a
}

// readable wants a signed PDF file that another reader opens.
func readable(t *testing.T, file []byte) {
	t.Helper()
	pdf, err := document.ReadPDF(file)
	if err != nil || len(pdf.Signatures) != 1 || !pdf.Signatures[0].Whole {
		t.Errorf("the signed file: %v", err)
	}
	path, err := exec.LookPath("qpdf")
	if err != nil {
		return
	}
	name := filepath.Join(t.TempDir(), "signed.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, "--check", name).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %s", out)
	}
}

// R54: the contract stands after one password.
func atTheCarrier(t *testing.T, c *customer) carrier.Contract {
	p := c.w.Places.Carrier
	c.enter(p)
	var k carrier.Contract
	if slug := c.do(p+"/api/contracts", carrier.Order{Plan: "standard", Demand: "phone"}, &k); slug != "" {
		t.Fatal(slug)
	}
	if status, page := c.answer(c.begin(p+"/api/contracts/"+k.ID+"/sign"), byPassword); status != http.StatusOK || !strings.Contains(page, "in force") {
		t.Fatalf("%d %s", status, page)
	}
	if slug := c.do(p+"/api/contracts/"+k.ID, nil, &k); slug != "" || k.State != "standing" || k.Class != "phone" || k.Checked.Verdict != "good" {
		t.Fatalf("%q %+v", slug, k)
	}
	readable(t, k.Signed)
	return k
}

func atThePaymentService(t *testing.T, c *customer, account bank.Account) {
	p := c.w.Places.Cashless
	c.enter(p)
	var v cashless.View
	if slug := c.do(p+"/api/join", struct{}{}, &v); slug != "" || v.Limit != 10_000 {
		t.Fatalf("%q %+v", slug, v)
	}
	if slug := c.do(p+"/api/bank", cashless.Bank{Number: "9999999", Holder: "割符太郎"}, nil); slug != "bank-link-refused" {
		t.Errorf("an account of nobody's: %q", slug)
	}
	if slug := c.do(p+"/api/bank", cashless.Bank{Number: account.Number, Holder: "割符 太郎"}, &v); slug != "" || v.Limit != 100_000 {
		t.Fatalf("%q %+v", slug, v)
	}
	var pay cashless.Payment
	if slug := c.do(p+"/api/payments", cashless.Order{Shop: "見本商店", Yen: 12_000}, &pay); slug != "" || !pay.Paid.IsZero() {
		t.Fatalf("%q %+v", slug, pay)
	}
	if status, page := c.answer(c.begin(p+"/api/payments/"+pay.ID+"/confirm"), byPIN); status != http.StatusOK || !strings.Contains(page, "12,000") {
		t.Errorf("%d %s", status, page)
	}
	if c.do(p+"/api/member", nil, &v); v.Spent != 12_000 {
		t.Errorf("%+v", v)
	}
}

// A phone on hold logs in nowhere, and the account is stopped until the hold is lifted.
func whenThePhoneIsOnHold(t *testing.T, c *customer, a bank.Account) {
	b := c.w.Places.Bank
	if _, err := c.w.Phones.Suspend(t.Context(), c.phone, phones.Order{Password: "PHONE123"}); err != nil {
		t.Fatal(err)
	}
	c.refused("certificate-suspended", c.waiting(c.w.Places.Portal+"/visit"), byPIN)
	state := func(want string) {
		t.Helper()
		waitFor(t, func() bool {
			c.do(b+"/api/accounts/"+a.ID, nil, &a)
			return a.State == want
		})
	}
	state("frozen")
	if slug := c.do(b+"/api/links", bank.Link{Number: a.Number, Name: "割符太郎", BirthDate: "1980-02-17"}, nil); slug != "bank-link-refused" {
		t.Errorf("a link to a stopped account: %q", slug)
	}
	if _, err := c.w.Phones.Resume(t.Context(), c.phone, phones.Order{Password: "PHONE123"}); err != nil {
		t.Fatal(err)
	}
	state("open")
}

// B.2: a move ends the signing certificate and not the other. What was signed before stays good.
func whenTheHolderMoves(t *testing.T, c *customer, a bank.Account, k carrier.Contract) {
	if slug := c.do(c.w.Places.Desk+"/api/cards/taro/events", map[string]string{"event": "move"}, nil); slug != "" {
		t.Fatal(slug)
	}
	waitFor(t, func() bool {
		c.do(c.w.Places.Bank+"/api/accounts/"+a.ID, nil, &a)
		return a.State == "frozen"
	})
	p := c.w.Places.Carrier
	var again carrier.Contract
	if slug := c.do(p+"/api/contracts/"+k.ID+"/check", struct{}{}, &again); slug != "" || again.Again.Verdict != "good" || again.Again.Now == nil || again.Again.Now.Status != "revoked" {
		t.Errorf("from the evidence: %q %+v", slug, again.Again)
	}
	if slug := c.do(p+"/api/contracts", carrier.Order{Plan: "mini"}, &k); slug != "" {
		t.Fatal(slug)
	}
	c.refused("certificate-revoked", c.begin(p+"/api/contracts/"+k.ID+"/sign"), byPassword)
	if c.do(p+"/api/contracts/"+k.ID, nil, &k); k.State != "offered" {
		t.Errorf("%+v", k)
	}
	c.enter(c.w.Places.Portal)
	revoked := phones.Order{Kinds: []warifu.Kind{warifu.Authentication}, PIN: "2468"}
	if _, err := c.w.Phones.Revoke(t.Context(), c.phone, revoked); err != nil {
		t.Fatal(err)
	}
	c.refused("credential-none", c.waiting(c.w.Places.Cashless+"/visit"), byPIN)
}

// K6: in a world that replays the dates, each service opens on its own.
func TestServicesOpenOnTheirDates(t *testing.T) {
	begin := time.Date(2023, time.May, 10, 12, 0, 0, 0, visitor.Tokyo)
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme, c.Begin = "jp-mobile-2023", begin })
	c := newCustomer(t, w, "phone-1")
	places := []string{w.Places.Portal, w.Places.Bank, w.Places.Carrier, w.Places.Cashless}
	for _, place := range places {
		if status, page, _ := c.open(place + "/"); status != http.StatusForbidden || !strings.Contains(page, "2023-05-11") {
			t.Errorf("%s the day before: %d %s", place, status, page)
		}
		if slug := c.do(place+"/api/visit", nil, nil); slug != "service-not-yet" {
			t.Errorf("%s the day before: %q", place, slug)
		}
	}
	if err := w.Clock.Forward(12 * time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, place := range places {
		if status, page, _ := c.open(place + "/"); status != http.StatusOK {
			t.Errorf("%s on 11 May: %d %s", place, status, page)
		}
	}
}

// What a browser does that is not straight on: the back button, another browser, too late.
func TestServicesWithBrowsersThatGoAstray(t *testing.T) {
	w := worldtest.Stand(t)
	c := outfit(t, w)
	p := w.Places.Portal
	link := c.waiting(p + "/visit")
	in := byPIN
	in.Link.Link = link
	decided, err := w.Phones.Approve(t.Context(), c.phone, in)
	if err != nil {
		t.Fatal(err)
	}
	thief := newCustomer(t, w, "phone-1")
	thief.open(decided.Return)
	if slug := thief.do(p+"/api/visit", nil, nil); slug != "visitor-absent" {
		t.Errorf("the address of the return in another browser: %q", slug)
	}
	c.open(decided.Return)
	if slug := c.do(p+"/api/visit", nil, nil); slug != "" {
		t.Errorf("in the browser that began: %q", slug)
	}
	if _, page, at := c.open(decided.Return); !strings.HasPrefix(at, w.Places.Server) {
		t.Errorf("the back button leads to %s: %s", at, page)
	}
	if slug := c.do(p+"/api/visit", nil, nil); slug != "" {
		t.Errorf("after the back button: %q", slug)
	}
	suspendedBetween(t, c)
	late := c.waiting(w.Places.Carrier + "/visit")
	if err := w.Clock.To(w.Clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	c.refused("login-over", late, byPIN)
	if slug := c.do(w.Places.Carrier+"/api/visit", nil, nil); slug != "visitor-absent" {
		t.Errorf("too late: %q", slug)
	}
}

// suspendedBetween has the phone reported lost after it approved and before the browser is back.
func suspendedBetween(t *testing.T, c *customer) {
	in, place := byPIN, c.w.Places.Cashless
	in.Link.Link = c.waiting(place + "/visit")
	decided, err := c.w.Phones.Approve(t.Context(), c.phone, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.w.Phones.Suspend(t.Context(), c.phone, phones.Order{Password: "PHONE123"}); err != nil {
		t.Fatal(err)
	}
	c.open(decided.Return)
	if slug := c.do(place+"/api/visit", nil, nil); slug != "visitor-absent" {
		t.Errorf("suspended between consent and code: %q", slug)
	}
	if _, err := c.w.Phones.Resume(t.Context(), c.phone, phones.Order{Password: "PHONE123"}); err != nil {
		t.Fatal(err)
	}
}
