package kiosk_test

import (
	"bytes"
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
	"warifu/sandbox/kiosk"
	"warifu/sandbox/municipality"
	"warifu/sandbox/person"
	"warifu/sandbox/reader"
	"warifu/scheme"
)

// shop is a kiosk in a town. What is touched is a person's card; "phone-ID" is the same card
// under a phone's label.
type shop struct {
	*towntest.Town
	*kiosk.Kiosk
	lain *towntest.OnReader // what was touched last
	put  func(*towntest.OnReader)
}

func openShop(t *testing.T, change func(*kiosk.Config)) *shop {
	t.Helper()
	s := &shop{Town: towntest.New(t), put: func(*towntest.OnReader) {}}
	c := kiosk.Config{
		Town: kiosk.NewTown(s.Origin+"/municipality", towntest.KioskKey), Clock: s.Clock, Scheme: s.Scheme,
		Chips: func() ([]kiosk.Chip, error) {
			return []kiosk.Chip{{ID: "taro", Class: profile.ClassCard}, {ID: "phone-taro", Class: profile.ClassPhone}}, nil
		},
		Touched: func(id string) reader.Source {
			name, isPhone := strings.CutPrefix(id, "phone-")
			s.lain = s.Put(name)
			if isPhone {
				s.lain.Label = jpki.LabelPhone
			}
			s.put(s.lain)
			return s.lain
		},
	}
	if change != nil {
		change(&c)
	}
	s.Kiosk = kiosk.New(c)
	return s
}

func slug(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

// chosen is a visit that has come as far as paying.
func (s *shop) chosen(t *testing.T, chip, pin string, c kiosk.Choice) kiosk.View {
	t.Helper()
	medium := "card"
	if strings.HasPrefix(chip, "phone-") {
		medium = "phone"
	}
	v, err := s.Begin(medium)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = s.Touch(t.Context(), v.ID, kiosk.Touch{Chip: chip, PIN: pin}); err != nil {
		t.Fatal(err)
	}
	if v, err = s.Choose(v.ID, c); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAPaperIsBoughtWithCardAndPhone(t *testing.T) {
	s := openShop(t, nil)
	for _, chip := range []string{"taro", "phone-taro"} {
		v := s.chosen(t, chip, "1217", kiosk.Choice{Document: municipality.Residence, Copies: 2})
		if v.Fee != 400 || v.Town.Name != "清瀬市" {
			t.Fatalf("%+v", v)
		}
		if _, err := s.Print(t.Context(), v.ID); slug(err) != "kiosk-fee-short" {
			t.Errorf("unpaid: %v", err)
		}
		if _, err := s.Insert(v.ID, 5); slug(err) != "kiosk-coin-refused" {
			t.Errorf("five yen: %v", err)
		}
		if _, err := s.Insert(v.ID, 500); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Insert(v.ID, 100); slug(err) != "kiosk-paid-already" {
			t.Errorf("too much: %v", err)
		}
		done, err := s.Print(t.Context(), v.ID)
		if err != nil || done.Refund != 100 || done.Step != kiosk.StepDone {
			t.Fatalf("%+v, %v", done, err)
		}
		file, err := s.Paper(v.ID)
		if err != nil || !bytes.HasPrefix(file, []byte("%PDF-")) {
			t.Fatalf("%v", err)
		}
		if refund, err := s.Leave(v.ID); refund != 0 || err != nil {
			t.Errorf("leaving gives %d yen back, %v", refund, err)
		}
		if _, err := s.Paper(v.ID); slug(err) != "kiosk-visit-over" {
			t.Errorf("the paper is still there for the next person: %v", err)
		}
	}
}

func TestWhatIsPaidForNothingIsGivenBack(t *testing.T) {
	s := openShop(t, nil)
	choice := kiosk.Choice{Document: municipality.Seal, Copies: 1}
	v := s.chosen(t, "taro", "1217", choice)
	if _, err := s.Insert(v.ID, 100); err != nil {
		t.Fatal(err)
	}
	if refund, err := s.Leave(v.ID); refund != 100 || err != nil {
		t.Errorf("giving up gives %d back, %v", refund, err)
	}
	v = s.chosen(t, "taro", "1217", choice)
	if _, err := s.Insert(v.ID, 1000); err != nil {
		t.Fatal(err)
	}
	s.Away = func() bool { return true }
	if v, err := s.Print(t.Context(), v.ID); slug(err) != "kiosk-town-away" || v.Refund != 1000 || v.Paid != 0 || v.Step != kiosk.StepChoose {
		t.Errorf("without the municipality: %+v, %v", v, err)
	}
	s.Away = func() bool { return false }
	if _, err := s.Choose(v.ID, choice); err != nil { // and once it is back, the visit goes on
		t.Error(err)
	}
	if _, err := s.Insert(v.ID, 500); err != nil {
		t.Error(err)
	}
	if err := s.Bureau.Suspend("taro"); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Print(t.Context(), v.ID); slug(err) != "certificate-suspended" || v.Refund != 500 {
		t.Errorf("suspended meanwhile: %+v, %v", v, err)
	}
	if refund, _ := s.Leave(v.ID); refund != 0 {
		t.Errorf("%d yen are given back twice", refund)
	}
}

func TestHoursAndClosedDays(t *testing.T) {
	s := openShop(t, nil)
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, person.Tokyo)
	}
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{at(time.June, 10, 6, 29), "kiosk-closed"}, {at(time.June, 10, 6, 30), ""}, {at(time.June, 10, 22, 59), ""}, {at(time.June, 10, 23, 0), "kiosk-closed"},
		{at(time.June, 17, 19, 59), ""}, {at(time.June, 17, 20, 0), "kiosk-maintenance"}, {at(time.June, 24, 20, 0), ""},
		{at(time.December, 28, 12, 0), ""}, {at(time.December, 29, 12, 0), "kiosk-closed-day"},
		{time.Date(2027, 1, 3, 12, 0, 0, 0, person.Tokyo), "kiosk-closed-day"}, {time.Date(2027, 1, 4, 12, 0, 0, 0, person.Tokyo), ""},
	} {
		s.Clock.Set(c.at)
		if _, err := s.Begin("card"); slug(err) != c.want {
			t.Errorf("%v: %v, want %q", c.at, err, c.want)
		}
	}
}

// K6, K17: phones are taken from 20 December 2023, cards were before.
func TestPhonesAreTakenFromTheDayTheSchemeNames(t *testing.T) {
	replay, err := scheme.Shipped("jp-mobile-2023")
	if err != nil {
		t.Fatal(err)
	}
	s := openShop(t, func(c *kiosk.Config) { c.Scheme = replay })
	s.Clock.Set(time.Date(2023, 12, 19, 22, 0, 0, 0, person.Tokyo))
	if _, err := s.Begin("phone"); slug(err) != "kiosk-phones-later" || warifu.ProblemOf(err).Params["date"] != "2023-12-20" {
		t.Errorf("the day before: %v", err)
	}
	if _, err := s.Begin("card"); err != nil {
		t.Error(err)
	}
	s.Clock.Set(time.Date(2023, 12, 20, 6, 30, 0, 0, person.Tokyo))
	if _, err := s.Begin("phone"); err != nil {
		t.Error(err)
	}
	if _, err := s.Begin("passport"); slug(err) != "kiosk-request-malformed" {
		t.Error(err)
	}
}

func TestAnAbandonedVisitIsForgotten(t *testing.T) {
	s := openShop(t, nil)
	v := s.chosen(t, "taro", "1217", kiosk.Choice{Document: municipality.Residence, Copies: 1})
	s.Clock.Add(2*time.Minute + time.Second)
	for what, err := range map[string]error{
		"look": func() error { _, err := s.Visit(v.ID); return err }(), "pay": func() error { _, err := s.Insert(v.ID, 100); return err }(),
		"leave": func() error { _, err := s.Leave(v.ID); return err }(), "nobody's": func() error { _, err := s.Visit(""); return err }(),
	} {
		if slug(err) != "kiosk-visit-over" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A tap that fails changes nothing: the person may touch again.
func TestATapThatFailsMayBeRepeated(t *testing.T) {
	s := openShop(t, nil)
	v, err := s.Begin("card")
	if err != nil {
		t.Fatal(err)
	}
	s.put = func(o *towntest.OnReader) { o.Fault, o.At = towntest.Torn, 4 }
	if _, err := s.Touch(t.Context(), v.ID, kiosk.Touch{Chip: "taro", PIN: "1217"}); slug(err) != "chip-removed" {
		t.Fatal(err)
	}
	s.put = func(*towntest.OnReader) {}
	if _, err := s.Touch(t.Context(), v.ID, kiosk.Touch{Chip: "phone-taro", PIN: "1217"}); slug(err) != "not-a-card" || s.lain.Verified() {
		t.Fatal(err)
	}
	if _, err := s.Touch(t.Context(), v.ID, kiosk.Touch{PIN: "1217"}); slug(err) != "reader-no-card" {
		t.Fatal(err)
	}
	if _, err := s.Insert(v.ID, 100); slug(err) != "kiosk-step-other" {
		t.Errorf("a step too early: %v", err)
	}
	if v, err = s.Touch(t.Context(), v.ID, kiosk.Touch{Chip: "taro", PIN: "1217"}); err != nil || v.Step != kiosk.StepChoose {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := s.Choose(v.ID, kiosk.Choice{Document: "passport", Copies: 1}); slug(err) != "kiosk-request-malformed" {
		t.Error(err)
	}
}

// screen is a person before the kiosk's screen.
type screen struct {
	t      *testing.T
	origin string
	client http.Client
}

func (s *shop) screen(t *testing.T) *screen {
	t.Helper()
	mux := http.NewServeMux()
	s.Routes(mux)
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &screen{t, site.URL, http.Client{Jar: jar}}
}

func (p *screen) get(path string) string { return p.ask(http.MethodGet, path, "") }

func (p *screen) press(path string, pairs ...string) string {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return p.ask(http.MethodPost, path, form.Encode())
}

func (p *screen) ask(method, path, body string) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.origin+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	answer, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	var page bytes.Buffer
	if _, err := page.ReadFrom(answer.Body); err != nil {
		p.t.Fatal(err)
	}
	return page.String()
}

func (p *screen) says(page string, sentences ...string) {
	p.t.Helper()
	for _, s := range sentences {
		if !strings.Contains(page, s) {
			p.t.Errorf("the screen does not say %q:\n%s", s, page)
		}
	}
}

// ended has the screen until the step that is under way has ended.
func (p *screen) ended(page string) string {
	p.t.Helper()
	for strings.Contains(page, "data-wait") {
		p.get("/visit/events") // answers when it has
		page = p.get("/visit")
	}
	return page
}

// touched types a PIN and touches a chip.
func (p *screen) touched(chip, pin string) string {
	p.t.Helper()
	p.press("/visit/pin", "pin", pin)
	return p.ended(p.press("/visit/tap", "chip", chip))
}

func TestTheWholeVisitByTheScreensAlone(t *testing.T) {
	s := openShop(t, nil)
	p := s.screen(t)
	p.says(p.press("/visits", "medium", "phone"), "Type your PHONE&#39;s PIN")
	p.says(p.press("/visits", "medium", "card"), "Type your CARD&#39;s PIN")
	p.says(p.press("/visit/pin", "pin", "12"), "Type your CARD&#39;s PIN", `role="alert"`)
	p.says(p.press("/visit/pin", "pin", "1217"), "Hold your card to the reader", "<option>taro")
	p.says(p.press("/visit/back"), "Type your CARD&#39;s PIN")
	p.says(p.touched("taro", "0000"), "Tries left: 2", "Type your CARD&#39;s PIN")
	p.says(p.touched("taro", "0000"), "Tries left: 1")
	page := p.touched("taro", "1217")
	p.says(page, "One try is left for your CARD")
	if strings.Contains(page, "1217") || s.lain.Verified() {
		t.Error("the PIN is on the screen, or the card was sent it")
	}
	p.says(p.press("/visit/sure"), "Type your CARD&#39;s PIN")
	p.says(p.touched("taro", "1217"), "清瀬市", "200 yen")
	p.says(p.press("/visit/answer", "document", "residence"), "Who is to be on it?")
	p.says(p.press("/visit/back"), "Which paper do you need?")
	p.says(p.press("/visit/answer", "document", "passport"), "Which paper do you need?", "The choice cannot be read")
	p.says(p.press("/visit/answer", "document", "seal"), "How many copies?")
	p.says(p.press("/visit/answer", "copies", "11"), "How many copies?", "The choice cannot be read")
	p.says(p.press("/visit/answer", "copies", "1"), "Seal registration certificate", "Still to pay")
	p.says(p.press("/visit/back"), "How many copies?")
	p.says(p.press("/visit/answer", "copies", "2"), "400 yen")
	p.says(p.press("/visit/print"), "The fee is not paid yet")
	p.says(p.press("/visit/coins", "yen", "500"), "Shall it be printed?")
	p.says(p.press("/visit/back"), "Shall it be printed?") // money is in: only the way out gives it back
	p.says(p.ended(p.press("/visit/print")), "Your paper is ready", "Your change is 100 yen")
	p.says(p.press("/visit/coins", "yen", "500"), "gone on to another screen", "Your paper is ready") // the back button
	p.says(p.press("/visit/leave"), "Which do you use?")
	p.says(p.press("/visit/pin", "pin", "1217"), "This visit is over", "Which do you use?")
}

// Looking at the screen does not lengthen a visit; a touch does, and the money comes back to
// whoever stops.
func TestTheTimeThatIsLeft(t *testing.T) {
	s := openShop(t, nil)
	p := s.screen(t)
	p.says(p.press("/visits", "medium", "card"), `data-left="120"`)
	s.Clock.Add(100 * time.Second)
	p.says(p.get("/visit"), `data-left="20"`)
	p.says(p.press("/visit/more"), `data-left="120"`)
	p.touched("taro", "1217")
	p.press("/visit/answer", "document", "seal")
	p.press("/visit/answer", "copies", "1")
	p.press("/visit/coins", "yen", "100")
	p.says(p.press("/visit/leave"), "100 yen were given back")
	p.press("/visits", "medium", "card")
	s.Clock.Add(121 * time.Second)
	p.says(p.get("/visit"), "This visit is over", "Which do you use?")
	if page := p.get("/"); strings.Contains(page, "This visit is over") {
		t.Error("the next person is told of the one before")
	}
}

// A card that will not do leads on to the other way; a closed kiosk offers no question.
func TestScreensOfARefusalAndOfAClosedKiosk(t *testing.T) {
	s := openShop(t, nil)
	p := s.screen(t)
	p.press("/visits", "medium", "card")
	s.put = func(o *towntest.OnReader) { o.Fault, o.At = towntest.Torn, 4 }
	p.says(p.touched("taro", "1217"), `role="alert"`, "Hold your card to the reader") // the PIN need not be typed again
	s.put = func(*towntest.OnReader) {}
	for range 2 {
		p.touched("taro", "0000")
	}
	p.touched("taro", "0000")
	p.press("/visit/sure")
	p.says(p.touched("taro", "0000"), "This card will not do here", "is blocked", "municipal counter", "Go on with my phone")
	p.says(p.press("/visits", "medium", "phone"), "Type your PHONE")
	p.press("/visit/leave")
	s.Clock.Set(time.Date(2026, time.June, 10, 23, 0, 0, 0, person.Tokyo))
	page := p.get("/")
	p.says(page, "No papers are issued at the moment")
	if strings.Contains(page, `name="medium"`) {
		t.Error("a closed kiosk asks what one uses")
	}
}
