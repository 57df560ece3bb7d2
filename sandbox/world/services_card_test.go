package world_test

import (
	"net/http"
	"strings"
	"testing"

	"warifu/internal/worldtest"
	"warifu/sandbox/bank"
	"warifu/sandbox/carrier"
	"warifu/sandbox/desk"
	"warifu/sandbox/phones"
	"warifu/sandbox/portal"
	"warifu/sandbox/visitor"
)

// byCard has a card at the desk's reader answer, and comes back; it returns the problem's slug
// where it cannot, "" where it did, with the page.
func (c *customer) byCard(link, card string, in desk.ApproveByCard) (slug string, status int, page string) {
	c.t.Helper()
	in.Link = phones.Link{Link: link}
	var decided phones.Decided
	if slug := c.do(c.w.Places.Desk+"/api/cards/"+card+"/approve", in, &decided); slug != "" {
		return slug, 0, ""
	}
	status, page, _ = c.open(decided.Return)
	return "", status, page
}

var (
	hanako = desk.ApproveByCard{PIN: "1103", CardPassword: "HANAKO85"}
	taro   = desk.ApproveByCard{PIN: "1217", CardPassword: "TARO1980"}
)

// K17: whoever has no phone does everything with the card; and what a card is not for.
func TestServicesWithTheCardAtAReader(t *testing.T) {
	w := worldtest.Stand(t)
	c := newCustomer(t, w, "phone-1")
	b := w.Places.Bank
	if slug, status, page := c.byCard(c.waiting(b+"/visit"), "hanako", hanako); slug != "" || status != http.StatusOK {
		t.Fatalf("%q %d %s", slug, status, page)
	}
	var who visitor.Visitor
	if c.do(b+"/api/visit", nil, &who); who.Class != "card" || who.Attributes.Name != "割符　花子" {
		t.Fatalf("%+v", who)
	}
	var a bank.Account
	if slug := c.do(b+"/api/accounts", bank.Opening{Purpose: "living", Occupation: "household", Method: "signature"}, &a); slug != "" {
		t.Fatal(slug)
	}
	theWrongPersonSigns(t, c, a)
	if slug, status, page := c.byCard(c.begin(b+"/api/accounts/"+a.ID+"/sign"), "hanako", hanako); slug != "" || status != http.StatusOK {
		t.Fatalf("%q %d %s", slug, status, page)
	}
	if c.do(b+"/api/accounts/"+a.ID, nil, &a); a.State != "open" || a.Record.CertificateOn != "card" || len(a.Told) != 0 {
		t.Errorf("%+v %+v", a, a.Record)
	}
	theCardIsAskedAbout(t, c, a)
	thePhoneIsDemanded(t, c)
	aChildComes(t, w.Places.Bank, newCustomer(t, w, "phone-1"))
}

// The signature of another person's card opens nobody's account.
func theWrongPersonSigns(t *testing.T, c *customer, a bank.Account) {
	b := c.w.Places.Bank
	slug, status, page := c.byCard(c.begin(b+"/api/accounts/"+a.ID+"/sign"), "taro", taro)
	if slug != "" || status != http.StatusForbidden || !strings.Contains(page, "Somebody other") {
		t.Errorf("%q %d %s", slug, status, page)
	}
	if c.do(b+"/api/accounts/"+a.ID, nil, &a); a.State != "applied" {
		t.Errorf("%+v", a)
	}
}

// Nobody tells of a card: the compliance officer asks. A suspended card stops the account.
func theCardIsAskedAbout(t *testing.T, c *customer, a bank.Account) {
	if slug := c.do(c.w.Places.Bank+"/api/records/"+a.ID+"/check", struct{}{}, nil); slug != "bank-officer-only" {
		t.Errorf("a customer checks: %q", slug)
	}
	check := func(want string) {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, c.w.Places.Bank+"/api/records/"+a.ID+"/check", nil)
		r.SetBasicAuth("officer", "sandbox-officer")
		if status, body, _ := c.send(r); status != http.StatusOK || !strings.Contains(string(body), `"state":"`+want+`"`) {
			t.Errorf("want %s: %d %s", want, status, body)
		}
	}
	check("open")
	if slug := c.do(c.w.Places.Desk+"/api/cards/hanako/events", map[string]string{"event": "lose-card"}, nil); slug != "" {
		t.Fatal(slug)
	}
	check("frozen")
	if slug, _, _ := c.byCard(c.waiting(c.w.Places.Portal+"/visit"), "hanako", hanako); slug == "" {
		t.Error("a lost card logs in")
	}
	if slug := c.do(c.w.Places.Desk+"/api/cards/hanako/events", map[string]string{"event": "find-card"}, nil); slug != "" {
		t.Fatal(slug)
	}
	check("open")
}

// Where the customer wants the phone alone, the card is not even asked for its password.
func thePhoneIsDemanded(t *testing.T, c *customer) {
	p := c.w.Places.Carrier
	if slug, status, _ := c.byCard(c.waiting(p+"/visit"), "hanako", hanako); slug != "" || status != http.StatusOK {
		t.Fatalf("%q %d", slug, status)
	}
	var k carrier.Contract
	if slug := c.do(p+"/api/contracts", carrier.Order{Plan: "mini", Demand: "phone"}, &k); slug != "" {
		t.Fatal(slug)
	}
	if slug, _, _ := c.byCard(c.begin(p+"/api/contracts/"+k.ID+"/sign"), "hanako", hanako); slug != "approve-phone-demanded" {
		t.Errorf("%q", slug)
	}
	if slug := c.do(p+"/api/contracts", carrier.Order{Plan: "mini"}, &k); slug != "" {
		t.Fatal(slug)
	}
	if slug, status, _ := c.byCard(c.begin(p+"/api/contracts/"+k.ID+"/sign"), "hanako", hanako); slug != "" || status != http.StatusOK {
		t.Errorf("%q %d", slug, status)
	}
	if c.do(p+"/api/contracts/"+k.ID, nil, &k); k.State != "standing" || k.Class != "card" {
		t.Errorf("%+v", k)
	}
}

// A child's card has no signing certificate: it logs in, tells nothing, and opens no account.
func aChildComes(t *testing.T, b string, c *customer) {
	if slug, status, page := c.byCard(c.waiting(b+"/visit"), "sakura", desk.ApproveByCard{PIN: "0402", Attributes: []string{}}); slug != "" || status != http.StatusOK {
		t.Fatalf("%q %d %s", slug, status, page)
	}
	if slug := c.do(b+"/api/accounts", bank.Opening{Purpose: "saving", Occupation: "student", Method: "login"}, nil); slug != "visitor-attributes-withheld" {
		t.Errorf("%q", slug)
	}
	p := c.w.Places.Portal
	if slug, _, _ := c.byCard(c.waiting(p+"/visit"), "sakura", desk.ApproveByCard{PIN: "0402", Attributes: []string{}}); slug != "" {
		t.Fatal(slug)
	}
	var r portal.Records
	if slug := c.do(p+"/api/records", nil, &r); slug != "visitor-attributes-withheld" {
		t.Errorf("%q", slug)
	}
}
