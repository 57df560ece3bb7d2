package clinic_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/towntest"
	"warifu/jpki"
	"warifu/profile"
	"warifu/sandbox/clinic"
	"warifu/sandbox/insurer"
	"warifu/sandbox/person"
	"warifu/sandbox/reader"
	"warifu/scheme"
)

// practice is a clinic in a town; what it keeps for the time without a line are the bureau's
// lists.
type practice struct {
	*towntest.Town
	*clinic.Clinic
	kept *clinic.Kept
	put  func(*towntest.OnReader)
}

func openPractice(t *testing.T, change func(*clinic.Config)) *practice {
	t.Helper()
	p := &practice{Town: towntest.New(t), put: func(*towntest.OnReader) {}}
	p.kept = &clinic.Kept{List: p.Origin + "/bureau/crl/authentication.crl", Pack: p.Origin + "/none", Phones: p.Bureau.Authority(warifu.Authentication), Clock: p.Clock}
	c := clinic.Config{
		Origin: "http://clinic.test", Insurers: clinic.NewInsurers(p.Origin+"/insurers", towntest.ClinicKey), Clock: p.Clock, Scheme: p.Scheme,
		Trust: p.Trust, Kept: p.kept, Refresh: p.kept.Refresh,
		Chips: func() ([]clinic.Chip, error) { return []clinic.Chip{{ID: "taro", Class: profile.ClassCard}}, nil },
		Touched: func(id string) reader.Source {
			name, isPhone := strings.CutPrefix(id, "phone-")
			o := p.Put(name)
			if isPhone {
				o.Label = jpki.LabelPhone
			}
			p.put(o)
			return o
		},
	}
	if change != nil {
		change(&c)
	}
	p.Clinic = clinic.New(c)
	return p
}

func slug(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

// touched is a visit whose card has answered.
func (p *practice) touched(t *testing.T, id string) (clinic.View, error) {
	t.Helper()
	medium := "card"
	if strings.HasPrefix(id, "phone-") {
		medium = "phone"
	}
	v, err := p.Begin(medium)
	if err != nil {
		t.Fatal(err)
	}
	who, err := p.Bureau.Show(strings.TrimPrefix(id, "phone-"))
	if err != nil {
		t.Fatal(err)
	}
	return p.Touch(t.Context(), v.ID, clinic.Touch{Chip: id, PIN: string(who.Person.PINs.Authentication.Reveal())})
}

func (p *practice) checked(t *testing.T, id string, c insurer.Consents) (clinic.View, error) {
	t.Helper()
	v, err := p.touched(t, id)
	if err != nil {
		return v, err
	}
	if v.Step != clinic.StepConsent {
		t.Fatalf("%+v", v)
	}
	return p.Consent(t.Context(), v.ID, c)
}

func TestWhoIsInsuredAndHow(t *testing.T) {
	p := openPractice(t, nil)
	for id, want := range map[string]struct {
		state insurer.State
		share int
	}{
		"taro": {insurer.Insured, 30}, "phone-taro": {insurer.Insured, 30}, "hanako": {insurer.Changed, 30}, "kenji": {insurer.Expired, 0},
		"maria": {insurer.Unknown, 0}, "nagai": {insurer.Insured, 10}, "ume": {insurer.Insured, 10}, "sakura": {insurer.Insured, 30},
	} {
		v, err := p.checked(t, id, insurer.Consents{Medicine: true, Checkups: true, HighCost: true})
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if v.State != want.state || v.Answer.Share != want.share || (v.Answer.Insurer == nil) != (want.share == 0) {
			t.Errorf("%s: %+v", id, v.Answer)
		}
		if want.share == 0 && (v.Answer.Medicine != nil || v.Answer.HighCost != "") {
			t.Errorf("%s is not insured and data is told: %+v", id, v.Answer)
		}
	}
	if v, err := p.checked(t, "hanako", insurer.Consents{}); err != nil || v.Answer.Previous == nil || v.Answer.Previous.To == "" {
		t.Errorf("a changed insurer: %+v, %v", v.Answer, err)
	}
}

func TestOnlyWhatWasConsentedToIsTold(t *testing.T) {
	p := openPractice(t, nil)
	for i := range 8 {
		c := insurer.Consents{Medicine: i&1 != 0, Checkups: i&2 != 0, HighCost: i&4 != 0}
		v, err := p.checked(t, "taro", c)
		if err != nil {
			t.Fatal(err)
		}
		if a := v.Answer; (a.Medicine != nil) != c.Medicine || (a.Checkups != nil) != c.Checkups || (a.HighCost != "") != c.HighCost {
			t.Errorf("%+v: %+v", c, a)
		}
	}
}

// B.2: a card's expired certificate is taken for three months more, a phone's is not.
func TestAnExpiredCardIsTakenForThreeMonths(t *testing.T) {
	p := openPractice(t, nil)
	if err := p.Bureau.Issue("aoi"); err != nil {
		t.Fatal(err)
	}
	who, err := p.Bureau.Show("aoi")
	if err != nil {
		t.Fatal(err)
	}
	var end time.Time
	for _, c := range who.Certificates {
		if c.Kind == warifu.Authentication {
			end = c.Certificate.NotAfter
		}
	}
	p.Clock.Set(end.Add(30 * 24 * time.Hour))
	v, err := p.checked(t, "aoi", insurer.Consents{})
	if err != nil || v.State != insurer.Insured || v.Answer.Grace != end.AddDate(0, 3, 0).In(person.Tokyo).Format(time.DateOnly) {
		t.Errorf("a month after: %+v, %v", v.Answer, err)
	}
	p.Clock.Set(end.AddDate(0, 3, 1))
	if _, err := p.checked(t, "aoi", insurer.Consents{}); slug(err) != "certificate-expired" {
		t.Errorf("three months and a day after: %v", err)
	}
	if _, err := p.checked(t, "shin", insurer.Consents{}); slug(err) != "certificate-revoked" {
		t.Errorf("a revoked card: %v", err)
	}
}

func TestWithoutALineTheReaderGoesOnByItselfForADay(t *testing.T) {
	p := openPractice(t, nil)
	if _, err := p.checked(t, "taro", insurer.Consents{}); err != nil {
		t.Fatal(err)
	}
	v, err := p.touched(t, "taro")
	if err != nil {
		t.Fatal(err)
	}
	p.Away = func() bool { return true } // between the touch and the consents
	if _, err := p.Consent(t.Context(), v.ID, insurer.Consents{}); slug(err) != "clinic-line-down" {
		t.Errorf("the line falls during a visit: %v", err)
	}
	if v, err = p.touched(t, "taro"); err != nil || v.State != clinic.Provisional || v.StatusFrom == "" || v.Answer != nil {
		t.Errorf("without a line: %+v, %v", v, err)
	}
	if v.StatusAge < 0 || v.StatusAge > clinic.MaxAge {
		t.Errorf("the status is %v old", v.StatusAge)
	}
	p.Silent = func() bool { return true } // no list to be had either
	p.Clock.Add(23 * time.Hour)
	if v, err := p.touched(t, "taro"); err != nil || v.StatusAge < 22*time.Hour {
		t.Errorf("a day later: %+v, %v", v, err)
	}
	p.Clock.Add(2 * time.Hour)
	if _, err := p.touched(t, "taro"); slug(err) != "clinic-status-unknown" {
		t.Errorf("too old: %v", err)
	}
	p.Silent, p.Away = func() bool { return false }, func() bool { return false }
	p.Cut(true)
	if err := p.Bureau.Suspend("taro"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.touched(t, "taro"); slug(err) != "clinic-status-unknown" {
		t.Errorf("the line is still cut: %v", err)
	}
	p.Cut(false)
	if _, err := p.checked(t, "hanako", insurer.Consents{}); err != nil {
		t.Error(err)
	}
	p.Cut(true)
	if _, err := p.touched(t, "taro"); slug(err) != "certificate-suspended" {
		t.Errorf("a lost card, on the list that was fetched meanwhile: %v", err)
	}
}

func TestWithoutALineAndWithNothingKeptItIsThePaperWay(t *testing.T) {
	p := openPractice(t, func(c *clinic.Config) { c.Kept = nil })
	p.Cut(true)
	if _, err := p.touched(t, "taro"); slug(err) != "clinic-line-down" {
		t.Error(err)
	}
}

// K6: phones from 19 September 2025, cards before; an iPhone is a later step (K4).
func TestPhonesAreTakenFromTheDayTheSchemeNames(t *testing.T) {
	replay, err := scheme.Shipped("jp-mobile-2023")
	if err != nil {
		t.Fatal(err)
	}
	p := openPractice(t, func(c *clinic.Config) { c.Scheme = replay })
	p.Clock.Set(time.Date(2025, 9, 18, 23, 59, 59, 0, person.Tokyo))
	if _, err := p.Begin("phone"); slug(err) != "clinic-phones-later" || warifu.ProblemOf(err).Params["date"] != "2025-09-19" {
		t.Error(err)
	}
	if _, err := p.Begin("card"); err != nil {
		t.Error(err)
	}
	p.Clock.Set(time.Date(2025, 9, 19, 0, 0, 0, 0, person.Tokyo))
	if _, err := p.Begin("phone"); err != nil {
		t.Error(err)
	}
	for medium, want := range map[string]string{"iphone": "clinic-iphone", "passport": "clinic-request-malformed"} {
		if _, err := p.Begin(medium); slug(err) != want {
			t.Errorf("%s: %v", medium, err)
		}
	}
}

func TestAnAnswerServesOneQuestionOfOneAsker(t *testing.T) {
	p := openPractice(t, nil)
	v, err := p.touched(t, "taro")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Consent(t.Context(), v.ID, insurer.Consents{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Consent(t.Context(), v.ID, insurer.Consents{Medicine: true}); slug(err) != "clinic-step-other" {
		t.Errorf("consents changed afterwards: %v", err)
	}
	stranger := clinic.New(clinic.Config{Insurers: clinic.NewInsurers(p.Origin+"/insurers", "nobody's"), Clock: p.Clock, Scheme: p.Scheme, Touched: func(id string) reader.Source { return p.Put(id) }})
	w, err := stranger.Begin("card")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Touch(context.Background(), w.ID, clinic.Touch{Chip: "taro", PIN: "1217"}); slug(err) != "clinic-key-unknown" {
		t.Errorf("a clinic that nobody knows: %v", err)
	}
	p.Clock.Add(2*time.Minute + time.Second)
	if _, err := p.Visit(v.ID); slug(err) != "clinic-visit-over" {
		t.Errorf("an abandoned visit: %v", err)
	}
}

func TestTheVisitByTheScreensAlone(t *testing.T) {
	p := openPractice(t, nil)
	mux := http.NewServeMux()
	p.Routes(mux)
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar}
	ask := func(method, path, body string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, site.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept-Language", "en")
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var page bytes.Buffer
		if _, err := page.ReadFrom(answer.Body); err != nil {
			t.Fatal(err)
		}
		return page.String()
	}
	get := func(path string) string { return ask(http.MethodGet, path, "") }
	press := func(path string, pairs ...string) string {
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		page := ask(http.MethodPost, path, form.Encode())
		for strings.Contains(page, "data-wait") {
			get("/visit/events") // answers when the step under way has ended
			page = get("/visit")
		}
		return page
	}
	says := func(page string, sentences ...string) {
		t.Helper()
		for _, s := range sentences {
			if !strings.Contains(page, s) {
				t.Errorf("the screen does not say %q:\n%s", s, page)
			}
		}
	}
	says(press("/visits", "medium", "iphone"), "iPhones are not yet taken here")
	says(press("/visits", "medium", "phone"), "Type your PHONE&#39;s PIN")
	says(press("/visits", "medium", "card"), "Type your CARD&#39;s PIN")
	says(press("/visit/pin", "pin", "12 7"), "Type your CARD&#39;s PIN", `role="alert"`)
	says(press("/visit/pin", "pin", "1217"), "Hold your card to the reader", "<option>taro")
	p.put = func(o *towntest.OnReader) { o.Fault, o.At = towntest.Torn, 3 }
	says(press("/visit/tap", "chip", "taro"), "left the reader midway", "Hold your card to the reader")
	p.put = func(*towntest.OnReader) {}
	says(press("/visit/tap", "chip", "taro"), "May this clinic see your past medicine?")
	says(press("/visit/consent", "what", "medicine"), "has no answer yet", "past medicine?")
	says(press("/visit/consent", "what", "checkups", "answer", "yes"), "gone on to another screen", "past medicine?")
	says(press("/visit/consent", "what", "medicine", "answer", "no"), "past check-ups?")
	says(press("/visit/back"), "past medicine?")
	says(press("/visit/consent", "what", "medicine", "answer", "yes"), "past check-ups?")
	says(press("/visit/consent", "what", "checkups", "answer", "no"), "limit for high-cost care?")
	p.Away = func() bool { return true }
	says(press("/visit/consent", "what", "high-cost", "answer", "no"), "no line to the insurers", "limit for high-cost care?")
	p.Away = func() bool { return false }
	page := press("/visit/consent", "what", "high-cost", "answer", "no")
	says(page, "You are checked in", "wait until you are called")
	if strings.Contains(page, "割符　太郎") {
		t.Error("the reader shows to the room who is insured and how")
	}
	says(press("/visit/leave"), "What did you bring?")
	staff := get("/staff")
	says(staff, "Insured", "割符　太郎", "30%", "Your past medicine", "not agreed to")
	says(press("/staff/taken", "number", "1"), "Nobody is waiting")
	says(press("/line", "line", "cut"), "the line to the insurers is cut")
	says(get("/"), "There is no line to the insurers")
	press("/visits", "medium", "card")
	press("/visit/pin", "pin", "1217")
	says(press("/visit/tap", "chip", "taro"), "provisionally", "less than a minute ago")
	says(get("/staff"), "provisional", "How old that is", "The list of cards")
	p.Clock.Add(31 * time.Minute)
	says(get("/staff"), "Nobody is waiting")
	press("/visits", "medium", "card")
	press("/visit/pin", "pin", "1217")
	p.Clock.Add(24 * time.Hour) // what is kept is too old now, and so is the visit
	says(get("/visit"), "This visit is over")
	press("/visits", "medium", "card")
	press("/visit/pin", "pin", "1217")
	says(press("/visit/tap", "chip", "taro"), "This card will not do here", "eligibility certificate", "Go on with my phone")
}
