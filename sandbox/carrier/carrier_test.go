package carrier_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/document"
	"warifu/internal/visitortest"
	"warifu/relyingparty"
	"warifu/sandbox/carrier"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
	"warifu/text"
)

var taro = visitortest.Person{Subject: "c-taro", Class: "phone", Attributes: visitor.Attributes{Name: "割符　太郎", Address: "東京都清瀬市", BirthDate: "1980-02-17"}}

func good(class string) visitor.Checked {
	return visitor.Checked{
		ID: "v-1", Verdict: "good", Class: class, Kind: "signature", Status: visitor.Standing{Status: "good"}, DocumentSHA256: strings.Repeat("ab", 32),
		Attributes: &visitor.Attributes{Name: "割符　太郎", NameSubstitution: "00000", BirthDate: "319800217"},
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
	p.checks.Say(good("phone"))
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	p.site = site.URL
	carrier.New(carrier.Config{Origin: site.URL, Provider: p.provider, Checks: visitor.Checks{Address: p.checks.URL}, Clock: clock, Folder: f}).Routes(mux)
	p.Browser = visitortest.NewBrowser(t, site.URL)
	return p
}

func (p *place) begin(in carrier.Order) (carrier.Contract, string) {
	p.t.Helper()
	var k carrier.Contract
	if got := p.Post("/api/contracts", in, &k); got != "" {
		p.t.Fatal(got)
	}
	var to struct{ Address string }
	if got := p.Post("/api/contracts/"+k.ID+"/sign", struct{}{}, &to); got != "" {
		p.t.Fatal(got)
	}
	return k, to.Address
}

func (p *place) look(id string) (k carrier.Contract) {
	p.t.Helper()
	if got := p.Fetch("/api/contracts/"+id, &k); got != "" {
		p.t.Fatal(got)
	}
	return k
}

// R54: one password, and the contract is in force; nothing asks for a picture.
func TestAContractIsSignedStandingInATrain(t *testing.T) {
	p := open(t)
	p.Login()
	k, address := p.begin(carrier.Order{Plan: "standard"})
	_, file := p.Get("/contracts/" + k.ID + "/contract.pdf")
	if _, err := document.ReadPDF([]byte(file)); err != nil {
		t.Error(err)
	}
	if status, to := p.Return(address, ""); status != http.StatusSeeOther || to != "/contracts/"+k.ID {
		t.Fatalf("%d %s", status, to)
	}
	k = p.look(k.ID)
	if k.State != "standing" || k.Class != "phone" || k.Checked == nil || k.Telephone == "" || !strings.HasPrefix(string(k.Signed), file) {
		t.Errorf("%+v", k)
	}
	if asked := p.checks.Asked(); len(asked) != 1 || asked[0].Form != "pdf" {
		t.Errorf("%+v", asked)
	}
	dead := good("phone")
	dead.Now = &visitor.Standing{Status: "revoked", Reason: "superseded"}
	p.checks.Say(dead)
	if got := p.Post("/api/contracts/"+k.ID+"/check", struct{}{}, &k); got != "" || k.Again == nil || k.Again.Verdict != "good" || k.Again.Now.Status != "revoked" {
		t.Errorf("years later: %q %+v", got, k.Again)
	}
}

func TestACardSignsUnlessThePhoneWasDemanded(t *testing.T) {
	p := open(t)
	p.Login()
	p.checks.Say(good("card"))
	k, address := p.begin(carrier.Order{Plan: "mini"})
	if len(p.provider.Wish.ACR) != 0 {
		t.Errorf("demands %v", p.provider.Wish.ACR)
	}
	p.Return(address, "")
	if k = p.look(k.ID); k.State != "standing" || k.Class != "card" {
		t.Errorf("%+v", k)
	}
	k, address = p.begin(carrier.Order{Plan: "mini", Demand: "phone"})
	if acr := p.provider.Wish.ACR; len(acr) != 1 || acr[0] != relyingparty.DemandPhone {
		t.Errorf("demands %v", acr)
	}
	if status, page := p.Return(address, ""); status != http.StatusForbidden || !strings.Contains(page, "asked for the phone") {
		t.Errorf("%d %s", status, page)
	}
	if asked := p.checks.Asked(); len(asked[1].Policy.Accept) != 1 {
		t.Errorf("accepts %v", asked[1].Policy.Accept)
	}
	if k = p.look(k.ID); k.State != "offered" {
		t.Errorf("%+v", k)
	}
}

func TestAContractIsRefused(t *testing.T) {
	other := good("phone")
	other.Attributes = &visitor.Attributes{Name: "割符　花子", BirthDate: "319851103"}
	for name, c := range map[string]struct {
		before func(*place)
		more   string
		says   string
	}{
		"declined":        {func(*place) {}, "error=access_denied", ""},
		"another answers": {func(p *place) { p.provider.Next.Subject = "c-hanako" }, "", "Somebody other"},
		"another's key":   {func(p *place) { p.checks.Say(other) }, "", "Somebody other"},
		"on hold": {func(p *place) {
			p.checks.Say(visitor.Checked{Verdict: "bad", Status: visitor.Standing{Status: "revoked", Reason: "certificateHold"}})
		}, "", "lift a suspension"},
		"unknown status": {func(p *place) {
			p.checks.Say(visitor.Checked{Verdict: "unknown", Status: visitor.Standing{Status: "unknown"}})
		}, "", "could not be confirmed"},
		"the service is down": {func(p *place) { p.checks.Close() }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			p.Login()
			k, address := p.begin(carrier.Order{Plan: "mini"})
			c.before(p)
			if status, page := p.Return(address, c.more); status < 400 || !strings.Contains(page, c.says) {
				t.Errorf("%d %s", status, page)
			}
			if k = p.look(k.ID); k.State != "offered" || k.Signed != nil {
				t.Errorf("%+v", k)
			}
		})
	}
}

func TestOrdersAreRefused(t *testing.T) {
	p := open(t)
	if got := p.Post("/api/contracts", carrier.Order{Plan: "mini"}, nil); got != "visitor-absent" {
		t.Errorf("%q", got)
	}
	p.Login()
	for in, want := range map[carrier.Order]string{{Plan: "free"}: "carrier-plan-unknown", {Plan: "mini", Demand: "fax"}: "carrier-plan-unknown"} {
		if got := p.Post("/api/contracts", in, nil); got != want {
			t.Errorf("%+v: %q", in, got)
		}
	}
	for range 5 {
		p.begin(carrier.Order{Plan: "mini"})
	}
	if got := p.Post("/api/contracts", carrier.Order{Plan: "mini"}, nil); got != "carrier-lines-too-many" {
		t.Errorf("%q", got)
	}
	p.provider.Next.Attributes.BirthDate = "2008-06-02" // eighteen tomorrow
	p.provider.Next.Subject = "c-young"
	p.Login()
	if got := p.Post("/api/contracts", carrier.Order{Plan: "mini"}, nil); got != "carrier-guardian-needed" {
		t.Errorf("%q", got)
	}
	p.clock.Forward(12 * time.Hour)
	p.Login()
	if got := p.Post("/api/contracts", carrier.Order{Plan: "mini"}, nil); got != "" {
		t.Errorf("on the birthday: %q", got)
	}
}

func TestAContractIsSignedOnceAndInTime(t *testing.T) {
	p := open(t)
	p.Login()
	k, first := p.begin(carrier.Order{Plan: "mini"})
	var second struct{ Address string }
	p.Post("/api/contracts/"+k.ID+"/sign", struct{}{}, &second)
	p.Return(second.Address, "")
	if status, _ := p.Return(first, ""); status != http.StatusConflict {
		t.Errorf("the other tab: %d", status)
	}
	if got := p.Post("/api/contracts/"+k.ID+"/sign", struct{}{}, nil); got != "carrier-contract-signed" {
		t.Errorf("%q", got)
	}
	k, late := p.begin(carrier.Order{Plan: "mini"})
	if got := p.Post("/api/contracts/"+k.ID+"/check", struct{}{}, nil); got != "carrier-contract-unsigned" {
		t.Errorf("%q", got)
	}
	for range 3 {
		p.clock.Forward(25 * time.Minute)
		p.Get("/api/visit")
	}
	if status, _ := p.Return(late, ""); status != http.StatusConflict {
		t.Errorf("too late: %d", status)
	}
}

func TestContractsAreTheCustomersAlone(t *testing.T) {
	p := open(t)
	p.Login()
	k, _ := p.begin(carrier.Order{Plan: "mini"})
	other := visitortest.NewBrowser(t, p.site)
	p.provider.Next.Subject = "c-hanako"
	other.Login()
	for _, path := range []string{"/api/contracts/" + k.ID, "/api/contracts/000001-x"} {
		if got := other.Fetch(path, nil); got != "carrier-contract-unknown" {
			t.Errorf("%s: %q", path, got)
		}
	}
	if status, page := other.Get("/contracts/" + k.ID + "/contract.pdf"); status != http.StatusNotFound || strings.Contains(page, "%PDF") {
		t.Errorf("%d", status)
	}
}

func TestPagesAskForSentencesThatExist(t *testing.T) {
	p := open(t)
	_, page := p.Get("/")
	p.Login()
	k, address := p.begin(carrier.Order{Plan: "mini"})
	for _, l := range text.Languages {
		for _, path := range []string{"/", "/contracts/" + k.ID} {
			_, more := p.Get(path + "?lang=" + string(l))
			page += more
		}
		p.Return(address, "")
		p.Fill("/contracts/" + k.ID + "/check")
	}
	if strings.Contains(page, ">carrier.") || strings.Contains(page, " carrier.") {
		t.Error(page)
	}
}

// A person may untick what a service asks for; then it says what it cannot do.
func TestAttributesMayBeWithheld(t *testing.T) {
	p := open(t)
	p.provider.Next.Attributes = visitor.Attributes{}
	p.Login()
	if got := p.Post("/api/contracts", carrier.Order{Plan: "mini"}, nil); got != "visitor-attributes-withheld" {
		t.Errorf("%q", got)
	}
}
