package cashless_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/visitortest"
	"warifu/sandbox/cashless"
	"warifu/sandbox/folder"
	"warifu/sandbox/visitor"
	"warifu/text"
)

var kaoru = visitortest.Person{Subject: "k-kaoru", Class: "phone", Attributes: visitor.Attributes{Name: "葛城　薫", BirthDate: "1972-06-30"}}

type place struct {
	*visitortest.Browser
	t        *testing.T
	provider *visitortest.Provider
	clock    *visitortest.Clock
	asked    []string
	refuses  error // what the bank says
}

func open(t *testing.T) *place {
	t.Helper()
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clock := visitortest.NewClock()
	p := &place{t: t, provider: &visitortest.Provider{Next: kaoru, Clock: clock}, clock: clock}
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	cashless.New(cashless.Config{
		Origin: site.URL, Provider: p.provider, Clock: clock, Folder: f,
		Linked: func(_ context.Context, number, name, birthDate string) error {
			p.asked = append(p.asked, number+" "+name+" "+birthDate)
			return p.refuses
		},
	}).Routes(mux)
	p.Browser = visitortest.NewBrowser(t, site.URL)
	return p
}

// member signs kaoru up.
func (p *place) member() {
	p.t.Helper()
	p.Login()
	if got := p.Post("/api/join", struct{}{}, nil); got != "" {
		p.t.Fatal(got)
	}
}

func (p *place) pay(yen int) (pay cashless.Payment, slug string) {
	p.t.Helper()
	slug = p.Post("/api/payments", cashless.Order{Shop: "見本商店", Yen: yen}, &pay)
	return pay, slug
}

func (p *place) look() (v cashless.View) {
	p.t.Helper()
	if got := p.Fetch("/api/member", &v); got != "" {
		p.t.Fatal(got)
	}
	return v
}

func (p *place) link() {
	p.t.Helper()
	if got := p.Post("/api/bank", cashless.Bank{Number: "1000001", Holder: "葛󠄁城 薫"}, nil); got != "" {
		p.t.Fatal(got)
	}
}

func TestWhoIsLoggedInSignsUpOnce(t *testing.T) {
	p := open(t)
	if got := p.Post("/api/join", struct{}{}, nil); got != "visitor-absent" {
		t.Errorf("%q", got)
	}
	p.Login()
	if _, got := p.pay(100); got != "cashless-member-unknown" {
		t.Errorf("%q", got)
	}
	p.member()
	p.pay(100)
	p.member()
	if v := p.look(); v.Spent != 100 || v.Limit != 10_000 || v.Name != kaoru.Attributes.Name {
		t.Errorf("%+v", v)
	}
}

// A name with a substitute character is the name as the register writes it.
func TestABankAccountIsLinkedByWhoItBelongsTo(t *testing.T) {
	p := open(t)
	p.member()
	for _, c := range []struct {
		in   cashless.Bank
		slug string
	}{
		{cashless.Bank{Number: "12345", Holder: "葛城薫"}, "cashless-account-malformed"},
		{cashless.Bank{Number: "１００００01", Holder: "葛城薫"}, "cashless-account-malformed"},
		{cashless.Bank{Number: "1000001", Holder: "割符　太郎"}, "cashless-holder-other"},
		{cashless.Bank{Number: "1000001", Holder: "葛󠄁城 薫"}, ""},
	} {
		if got := p.Post("/api/bank", c.in, nil); got != c.slug {
			t.Errorf("%+v: %q, want %q", c.in, got, c.slug)
		}
	}
	if len(p.asked) != 1 || p.asked[0] != "1000001 葛城　薫 1972-06-30" {
		t.Errorf("the bank was asked %q", p.asked)
	}
	if v := p.look(); v.Account != "1000001" || v.Limit != 100_000 {
		t.Errorf("%+v", v)
	}
	other := open(t)
	other.member()
	other.refuses = warifu.Refused("bank-link-refused")
	if got := other.Post("/api/bank", cashless.Bank{Number: "1000001", Holder: "葛城薫"}, nil); got != "bank-link-refused" {
		t.Errorf("%q", got)
	}
	if v := other.look(); v.Account != "" || v.Limit != 10_000 {
		t.Errorf("%+v", v)
	}
}

func TestALargePaymentWantsPresenceAnew(t *testing.T) {
	p := open(t)
	p.member()
	p.link()
	large, slug := p.pay(10_000)
	if slug != "" || !large.Paid.IsZero() || p.look().Spent != 0 {
		t.Fatalf("%q %+v", slug, large)
	}
	var to struct{ Address string }
	if got := p.Post("/api/payments/"+large.ID+"/confirm", struct{}{}, &to); got != "" {
		t.Fatal(got)
	}
	if w := p.provider.Wish; w.Prompt != "login" || w.MaxAge != 5*time.Minute {
		t.Errorf("%+v", w)
	}
	if status, at := p.Return(to.Address, ""); status != http.StatusSeeOther || at != "/?paid="+large.ID {
		t.Fatalf("%d %s", status, at)
	}
	if v := p.look(); v.Spent != 10_000 {
		t.Errorf("%+v", v)
	}
	if status, _ := p.Return(to.Address, ""); status != http.StatusConflict {
		t.Errorf("the back button: %d", status)
	}
	if got := p.Post("/api/payments/"+large.ID+"/confirm", struct{}{}, nil); got != "cashless-payment-paid" {
		t.Errorf("%q", got)
	}
	if small, slug := p.pay(9_999); slug != "" || small.Paid.IsZero() {
		t.Errorf("%q %+v", slug, small)
	}
}

// oldLogin answers with presence shown long ago, as a provider does that keeps people logged in.
type oldLogin struct{ *visitortest.Clock }

func (o oldLogin) Now() time.Time { return o.Clock.Now().Add(-10 * time.Minute) }

func TestALargePaymentIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*place)
		more   string
		says   string
	}{
		"declined":       {func(*place) {}, "error=access_denied", ""},
		"another person": {func(p *place) { p.provider.Next.Subject = "k-hanako" }, "", "Somebody other"},
		"an old login":   {func(p *place) { p.provider.Clock = oldLogin{p.clock} }, "", "from before the payment"},
		"too late":       {func(p *place) { p.clock.Forward(16 * time.Minute) }, "", "waited too long"},
		"the limit was used up meanwhile": {func(p *place) {
			for range 10 {
				p.pay(9_000)
			}
		}, "", "more than you may pay"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			p.member()
			p.link()
			large, _ := p.pay(20_000)
			var to struct{ Address string }
			p.Post("/api/payments/"+large.ID+"/confirm", struct{}{}, &to)
			c.before(p)
			if status, page := p.Return(to.Address, c.more); status < 400 || !strings.Contains(page, c.says) {
				t.Errorf("%d %s", status, page)
			}
			for _, pay := range p.look().Payments {
				if pay.ID == large.ID && !pay.Paid.IsZero() {
					t.Error("it was paid")
				}
			}
		})
	}
}

func TestTheLimitIsOfAMonthAndByAssurance(t *testing.T) {
	p := open(t)
	p.member()
	for range 10 {
		p.pay(1_000)
	}
	if _, slug := p.pay(1); slug != "cashless-limit" {
		t.Errorf("over the limit: %q", slug)
	}
	p.clock.Forward(30 * 24 * time.Hour) // 1 July
	p.Login()
	if _, slug := p.pay(1_000); slug != "" {
		t.Errorf("the next month: %q", slug)
	}
	now := p.clock.Now()
	for _, c := range []struct {
		m          cashless.Member
		activation string
		want       int
	}{
		{cashless.Member{BirthDate: "1980-02-17"}, "pin", 10_000},
		{cashless.Member{BirthDate: "1980-02-17", Account: "1"}, "pin", 100_000},
		{cashless.Member{BirthDate: "1980-02-17", Account: "1"}, "screen-lock", 50_000},
		{cashless.Member{BirthDate: "2010-02-17"}, "pin", 5_000},
		{cashless.Member{BirthDate: "?"}, "pin", 5_000},
	} {
		if got := c.m.Limit(c.activation, now); got != c.want {
			t.Errorf("%+v by %s: %d, want %d", c.m, c.activation, got, c.want)
		}
	}
}

func TestPaymentsAreReadStrictly(t *testing.T) {
	p := open(t)
	p.member()
	for _, in := range []cashless.Order{{Shop: "x", Yen: 0}, {Shop: "x", Yen: -5}, {Shop: "x", Yen: 100_001}, {Shop: " ", Yen: 5}, {Shop: strings.Repeat("長", 51), Yen: 5}} {
		if got := p.Post("/api/payments", in, nil); got != "cashless-payment-malformed" {
			t.Errorf("%+v: %q", in, got)
		}
	}
	if status, _ := p.Fill("/payments", "shop", "x", "yen", "many"); status != http.StatusUnprocessableEntity {
		t.Errorf("%d", status)
	}
	if got := p.Post("/api/payments/none/confirm", struct{}{}, nil); got != "cashless-payment-unknown" {
		t.Errorf("%q", got)
	}
}

func TestTheYoungSignUpWithLimits(t *testing.T) {
	for birth, want := range map[string]string{"2011-06-02": "cashless-too-young", "2011-06-01": "", "": "visitor-attributes-withheld"} {
		p := open(t)
		p.provider.Next.Attributes.BirthDate = birth
		p.Login()
		if got := p.Post("/api/join", struct{}{}, nil); got != want {
			t.Errorf("born %q: %q, want %q", birth, got, want)
		}
		if want == "" {
			if got := p.Post("/api/bank", cashless.Bank{Number: "1000001", Holder: "葛城薫"}, nil); got != "cashless-too-young" {
				t.Errorf("a bank account at fifteen: %q", got)
			}
		}
	}
}

func TestByFormPagesAlone(t *testing.T) {
	p := open(t)
	_, page := p.Get("/")
	if status, more := p.Fill("/join"); status != http.StatusUnauthorized {
		t.Errorf("%d %s", status, more)
	}
	p.Login()
	p.Fill("/join")
	p.Fill("/bank", "number", "1000001", "holder", "葛城 薫")
	_, to := p.Fill("/payments", "shop", "見本商店", "yen", "12000")
	_, confirm := p.Get("/payments/" + strings.TrimPrefix(to, "/?paid=") + "/confirm")
	if status, at := p.Return(confirm, ""); status != http.StatusSeeOther || at != to {
		t.Errorf("%d %s", status, at)
	}
	for _, l := range text.Languages {
		_, more := p.Get(to + "&lang=" + string(l))
		page += more
	}
	if strings.Contains(page, ">cashless.") || strings.Contains(page, " cashless.") || !strings.Contains(page, "12,000") {
		t.Error(page)
	}
}

// A person may untick what a service asks for; then it says what it cannot do.
func TestAttributesMayBeWithheld(t *testing.T) {
	p := open(t)
	p.provider.Next.Attributes = visitor.Attributes{}
	p.Login()
	if got := p.Post("/api/join", struct{}{}, nil); got != "visitor-attributes-withheld" {
		t.Errorf("%q", got)
	}
}
