package portal_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"warifu/internal/visitortest"
	"warifu/sandbox/folder"
	"warifu/sandbox/portal"
	"warifu/sandbox/visitor"
	"warifu/scheme"
	"warifu/text"
)

var taro = visitortest.Person{Subject: "p-taro", Class: "phone", Attributes: visitor.Attributes{Name: "割符　太郎", BirthDate: "1980-02-17"}}
var hanako = visitortest.Person{Subject: "p-hanako", Class: "card", Attributes: visitor.Attributes{Name: "割符　花子", BirthDate: "1985-11-03"}}

type place struct {
	*visitortest.Browser
	provider *visitortest.Provider
	checks   *visitortest.Checks
	clock    *visitortest.Clock
	site     string
}

func open(t *testing.T, name string) *place {
	t.Helper()
	s, err := scheme.Shipped(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	people, err := f.Sub("people")
	if err != nil {
		t.Fatal(err)
	}
	clock := visitortest.NewClock()
	p := &place{provider: &visitortest.Provider{Next: taro, Clock: clock}, checks: visitortest.NewChecks(t), clock: clock}
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	p.site = site.URL
	portal.New(portal.Config{
		Origin: site.URL, Provider: p.provider, Checks: visitor.Checks{Address: p.checks.URL}, Scheme: s, Clock: clock, Applications: f, People: people,
		Tax: "http://127.0.0.1:8406/", Desk: "http://127.0.0.1:8401/",
	}).Routes(mux)
	p.Browser = visitortest.NewBrowser(t, site.URL)
	return p
}

func nursery() portal.Wish {
	return portal.Wish{Procedure: "nursery", Town: "13221", Answers: map[string]string{"child": "割符　一郎", "nursery": "みほん保育園", "from": "2027-04-01"}}
}

func TestProceduresAreFoundByWordAndTown(t *testing.T) {
	for _, c := range []struct {
		words, town string
		want        []string
	}{
		{"引越し", "", []string{"moving-out", "moving-in"}},
		{"ＭＯＶＩＮＧ　out", "", []string{"moving-out"}},
		{"犬", "13221", []string{"dog"}},
		{"犬", "01101", []string{}},
		{"児童 現況", "47201", []string{"child-allowance-status"}},
		{"宇宙旅行", "", []string{}},
		{strings.Repeat("犬", 500), "", []string{}},
	} {
		found, err := portal.Search(c.words, c.town)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, p := range found {
			got = append(got, p.ID)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q in %q: %v, want %v", c.words, c.town, got, c.want)
		}
	}
	if _, err := portal.Search("", "99999"); err == nil {
		t.Error("a town that is none")
	}
	if all, _ := portal.Search("", ""); len(all) < 8 || len(portal.Towns()) != 13 {
		t.Errorf("%d procedures in %d towns", len(all), len(portal.Towns()))
	}
}

func TestRecordsAreAPersonsOwnAndTheSameEveryTime(t *testing.T) {
	now := time.Date(2026, 6, 1, 3, 0, 0, 0, time.UTC)
	a := portal.RecordsOf(taro.Attributes, now)
	if !reflect.DeepEqual(a, portal.RecordsOf(taro.Attributes, now)) {
		t.Error("asked twice, the records differ")
	}
	if reflect.DeepEqual(a.Medicines, portal.RecordsOf(hanako.Attributes, now).Medicines) {
		t.Error("two persons have the same medicines")
	}
	if len(a.Medicines) == 0 || len(a.Checkups) == 0 || len(a.Notices) == 0 {
		t.Errorf("%+v", a)
	}
	for _, m := range a.Medicines {
		if m.Date > now.Format(time.DateOnly) {
			t.Errorf("a medicine of the future: %s", m.Date)
		}
	}
	later := portal.RecordsOf(taro.Attributes, now.AddDate(0, 3, 0))
	if later.Medicines[len(later.Medicines)-1].Date < a.Medicines[len(a.Medicines)-1].Date {
		t.Error("after three months there are older lines than before")
	}
	children := 0
	for i := range 20 {
		born := time.Date(1990, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		if r := portal.RecordsOf(visitor.Attributes{Name: "x", BirthDate: born}, now); len(r.Handbook) > 0 {
			children++
		}
	}
	if children == 0 || children == 20 {
		t.Errorf("%d of 20 persons have a handbook", children)
	}
	for _, birth := range []string{"2020-01-01", "2005-01-01", "1940-01-01", "", "1980/02/17"} {
		if r := portal.RecordsOf(visitor.Attributes{Name: "x", BirthDate: birth}, now); len(r.Checkups) != 0 {
			t.Errorf("born %q: %d specific checks", birth, len(r.Checkups))
		}
	}
}

func TestOwnRecordsNeedALogin(t *testing.T) {
	p := open(t, "jp-mobile")
	for _, path := range []string{"/api/records", "/api/applications", "/api/applications/000001-x"} {
		if got := p.Fetch(path, nil); got != "visitor-absent" {
			t.Errorf("%s: %q", path, got)
		}
	}
	if status, to := p.Get("/records"); status != http.StatusSeeOther || to != "/visit?to=%2Frecords" {
		t.Errorf("%d %s", status, to)
	}
	p.Login()
	var r portal.Records
	if got := p.Fetch("/api/records", &r); got != "" || len(r.Medicines) == 0 {
		t.Errorf("%q %+v", got, r)
	}
	if status, page := p.Get("/"); status != http.StatusOK || !strings.Contains(page, "割符　太郎") || !strings.Contains(page, "8406") {
		t.Errorf("%d %s", status, page)
	}
}

// begin writes an application and goes to sign it.
func (p *place) begin(t *testing.T) (portal.Application, string) {
	t.Helper()
	var a portal.Application
	if got := p.Post("/api/applications", nursery(), &a); got != "" || a.State != "draft" || a.Receipt != "" {
		t.Fatalf("%q %+v", got, a)
	}
	var to struct{ Address string }
	if got := p.Post("/api/applications/"+a.ID+"/sign", struct{}{}, &to); got != "" {
		t.Fatal(got)
	}
	return a, to.Address
}

func TestAnApplicationIsSubmittedOnceItIsSigned(t *testing.T) {
	p := open(t, "jp-mobile")
	p.Login()
	a, address := p.begin(t)
	if status, to := p.Return(address, ""); status != http.StatusSeeOther || to != "/applications/"+a.ID {
		t.Fatalf("%d %s", status, to)
	}
	if got := p.Fetch("/api/applications/"+a.ID, &a); got != "" || a.State != "submitted" || a.Receipt == "" || a.Verification != "v-1" || a.Class != "phone" {
		t.Errorf("%q %+v", got, a)
	}
	asked := p.checks.Asked()
	if len(asked) != 1 || asked[0].Form != "cms" || string(asked[0].Document) != a.Form || !strings.Contains(a.Form, "みほん保育園") || asked[0].Purpose == "" {
		t.Errorf("%+v", asked)
	}
	// Back button and second tab.
	if status, _ := p.Return(address, ""); status != http.StatusConflict {
		t.Errorf("the same answer again: %d", status)
	}
	if got := p.Post("/api/applications/"+a.ID+"/sign", struct{}{}, nil); got != "portal-application-submitted" {
		t.Errorf("signing again: %q", got)
	}
}

func TestTwoTabsSubmitOneApplication(t *testing.T) {
	p := open(t, "jp-mobile")
	p.Login()
	a, first := p.begin(t)
	var to struct{ Address string }
	if got := p.Post("/api/applications/"+a.ID+"/sign", struct{}{}, &to); got != "" {
		t.Fatal(got)
	}
	if status, _ := p.Return(to.Address, ""); status != http.StatusSeeOther {
		t.Errorf("the second tab: %d", status)
	}
	if status, page := p.Return(first, ""); status != http.StatusConflict || !strings.Contains(page, "already") {
		t.Errorf("the first tab: %d %s", status, page)
	}
}

func TestAnApplicationIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*place)
		more   string
		status int
		says   string
	}{
		"declined on the phone": {func(*place) {}, "error=access_denied", http.StatusForbidden, ""},
		"another person signs":  {func(p *place) { p.provider.Next = hanako }, "", http.StatusForbidden, "Somebody other"},
		"revoked by a move": {func(p *place) {
			p.checks.Say(visitor.Checked{ID: "v", Verdict: "bad", Status: visitor.Standing{Status: "revoked"}, Reasons: []visitor.Why{{Problem: "certificate-revoked"}}})
		}, "", http.StatusForbidden, "revoked or suspended"},
		"not checked is not good": {func(p *place) {
			p.checks.Say(visitor.Checked{ID: "v", Verdict: "unknown", Status: visitor.Standing{Status: "unknown"}, Reasons: []visitor.Why{{Problem: "status-unavailable"}}})
		}, "", http.StatusForbidden, "could not be confirmed"},
		"somebody else's certificate": {func(p *place) {
			p.checks.Say(visitor.Checked{ID: "v", Verdict: "good", Attributes: &visitor.Attributes{Name: "割符　花子"}})
		}, "", http.StatusForbidden, "Somebody other"},
		"too late": {func(p *place) { p.clock.Forward(20 * time.Minute) }, "", http.StatusSeeOther, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, "jp-mobile")
			p.Login()
			a, address := p.begin(t)
			c.before(p)
			if status, page := p.Return(address, c.more); status != c.status || !strings.Contains(page, c.says) {
				t.Fatalf("%d %s", status, page)
			}
			if c.status == http.StatusSeeOther {
				return
			}
			p.provider.Next = taro
			if got := p.Fetch("/api/applications/"+a.ID, &a); got != "" || a.State != "draft" {
				t.Errorf("%q %+v", got, a)
			}
		})
	}
}

func TestAFormLeftLyingIsWrittenAnew(t *testing.T) {
	p := open(t, "jp-mobile")
	p.Login()
	a, _ := p.begin(t)
	for range 3 {
		p.clock.Forward(25 * time.Minute)
		p.Get("/api/visit") // the session lives on
	}
	if got := p.Post("/api/applications/"+a.ID+"/sign", struct{}{}, nil); got != "portal-application-old" {
		t.Errorf("%q", got)
	}
}

func TestFormsAreReadStrictly(t *testing.T) {
	p := open(t, "jp-mobile")
	p.Login()
	for name, c := range map[string]struct {
		change func(*portal.Wish)
		slug   string
	}{
		"no such procedure": {func(w *portal.Wish) { w.Procedure = "passport" }, "portal-procedure-unknown"},
		"no such town":      {func(w *portal.Wish) { w.Town = "00000" }, "portal-town-unknown"},
		"an empty field":    {func(w *portal.Wish) { w.Answers["child"] = "　" }, "portal-answer-missing"},
		"a long field":      {func(w *portal.Wish) { w.Answers["child"] = strings.Repeat("長", 201) }, "portal-answer-missing"},
		"a second line":     {func(w *portal.Wish) { w.Answers["child"] = "a\n氏名 / name: b" }, "portal-answer-missing"},
	} {
		w := nursery()
		c.change(&w)
		if got := p.Post("/api/applications", w, nil); got != c.slug {
			t.Errorf("%s: %q, want %q", name, got, c.slug)
		}
	}
	// By the form page what was typed is not lost.
	status, page := p.Fill("/applications", "procedure", "nursery", "town", "13221", "answer-child", "割符　一郎")
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, "割符　一郎") {
		t.Errorf("%d %s", status, page)
	}
}

func TestSomeThingsNeedNoSignature(t *testing.T) {
	p := open(t, "jp-mobile")
	p.Login()
	status, to := p.Fill("/applications", "procedure", "dog", "town", "13221", "answer-dog", "13-001")
	if status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, to)
	}
	if _, page := p.Get(to); !strings.Contains(page, "Handed in") {
		t.Error(page)
	}
}

func TestApplicationsAreTheApplicantsAlone(t *testing.T) {
	p := open(t, "jp-mobile")
	p.Login()
	a, _ := p.begin(t)
	other := visitortest.NewBrowser(t, p.site)
	p.provider.Next = hanako
	other.Login()
	if got := other.Fetch("/api/applications/"+a.ID, nil); got != "portal-application-unknown" {
		t.Errorf("%q", got)
	}
	if got := other.Post("/api/applications/"+a.ID+"/sign", struct{}{}, nil); got != "portal-application-unknown" {
		t.Errorf("%q", got)
	}
	if got := other.Fetch("/api/applications/..%2Fworld", nil); got != "portal-application-unknown" {
		t.Errorf("%q", got)
	}
}

// R60: moving house opened in July 2023, after the portal itself.
func TestMovingOpensOnItsOwnDate(t *testing.T) {
	p := open(t, "jp-mobile-2023")
	move := portal.Wish{Procedure: "moving-out", Town: "13221", Answers: map[string]string{"address": "大阪府", "day": "2023-07-10", "telephone": "070"}}
	p.clock.Forward(time.Date(2023, 6, 30, 14, 0, 0, 0, time.UTC).Sub(p.clock.Now()))
	p.Login()
	if got := p.Post("/api/applications", move, nil); got != "service-not-yet" {
		t.Errorf("in June: %q", got)
	}
	p.clock.Forward(2 * time.Hour)
	p.Login()
	var a portal.Application
	if got := p.Post("/api/applications", move, &a); got != "" || a.State != "draft" {
		t.Errorf("in July: %q", got)
	}
}

func TestPagesAskForSentencesThatExist(t *testing.T) {
	p := open(t, "jp-mobile")
	p.Login()
	a, address := p.begin(t)
	p.Return(address, "")
	for _, path := range []string{"/", "/records", "/procedures", "/procedures?words=x&town=99999", "/procedures/moving-out", "/applications", "/applications/" + a.ID, "/procedures/none"} {
		for _, l := range text.Languages {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			_, page := p.Get(path + sep + "lang=" + string(l))
			for _, key := range []string{">portal.", "\"portal.", " portal."} {
				if strings.Contains(page, key) {
					t.Errorf("%s in %s asks for a sentence that is not there:\n%s", path, l, page)
				}
			}
		}
	}
}

// Who unticks everything is not known; who was known before is, whatever a later login tells.
func TestThePortalRemembersWhoAPersonIs(t *testing.T) {
	p := open(t, "jp-mobile")
	p.provider.Next.Attributes = visitor.Attributes{}
	p.Login()
	if got := p.Fetch("/api/records", nil); got != "visitor-attributes-withheld" {
		t.Errorf("records of nobody known: %q", got)
	}
	if got := p.Post("/api/applications", nursery(), nil); got != "visitor-attributes-withheld" {
		t.Errorf("an application of nobody known: %q", got)
	}
	p.provider.Next = taro
	p.Login()
	var before, after portal.Records
	p.Fetch("/api/records", &before)
	p.provider.Next.Attributes = visitor.Attributes{}
	p.Login()
	if got := p.Fetch("/api/records", &after); got != "" || !reflect.DeepEqual(before, after) {
		t.Errorf("after a login that tells nothing: %q", got)
	}
	p.provider.Next.Attributes = visitor.Attributes{Name: "青木　太郎", BirthDate: "1980-02-17"}
	p.Login()
	if got := p.Fetch("/api/records", &after); got != "" || !reflect.DeepEqual(before, after) {
		t.Errorf("after a marriage: %q", got)
	}
	var a portal.Application
	if got := p.Post("/api/applications", nursery(), &a); got != "" || a.Name != "青木　太郎" {
		t.Errorf("%q %+v", got, a)
	}
}
