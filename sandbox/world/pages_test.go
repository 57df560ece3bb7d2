package world_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/cms"
	"warifu/document"
	"warifu/internal/worldtest"
	"warifu/sandbox/world"
	"warifu/text"
)

// The whole walk by a person who has nothing but the pages.
func TestTheWalkByFormPagesAlone(t *testing.T) {
	w, b := worldtest.Stand(t), worldtest.NewBrowser(t)
	b.Wants(b.Get(w.Places.Desk+"/"), "TARO1980")
	b.Wants(b.Get(w.Places.Phones+"/"), "phone-1")
	phone := w.Places.Phones + "/phones/phone-1"
	applyByForms(t, b, w, phone)
	waitFor(t, func() bool { return strings.Contains(b.Get(phone+"/application"), "ready to be registered") })
	_, page := b.Fill(phone + "/register")
	waitFor(t, func() bool { page = b.Get(phone + "/registered"); return shownCode.MatchString(page) })
	code := shownCode.FindStringSubmatch(page)
	b.Wants(b.Get(phone+"/certificates"), "> valid</span>")
	status, signature := b.Upload(phone+"/sign", map[string]string{"document": "hello"}, "password", "PHONE123")
	if status != http.StatusOK {
		t.Fatalf("signing: %d %s", status, signature)
	}
	_, page = b.Upload(w.Places.Bank+"/documents", map[string]string{"signature": signature, "document": "hello"})
	b.Wants(page, "<strong>good</strong>")
	_, page = b.Upload(w.Places.Bank+"/documents", map[string]string{"signature": signature, "document": "hullo"})
	b.Wants(page, "signature-content-mismatch")
	signPDFByForm(t, b, phone)
	logIn(t, w, b)
	lifeByForms(t, w, b, code[1])
}

var walkToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// applyByForms walks the steps of an application (R32) with the pages' forms and no script; a
// screen that shows progress is asked again until it has gone on.
func applyByForms(t *testing.T, b *worldtest.Browser, w *world.World, phone string) {
	t.Helper()
	at := func(step string) (page string) {
		t.Helper()
		waitFor(t, func() bool {
			_, page = b.Send(http.MethodGet, phone+"/apply/"+step, "", nil) // with the status of what was refused
			return strings.Contains(page, "/apply/"+step+`"`)
		})
		return page
	}
	fill := func(step string, pairs ...string) (int, string) {
		t.Helper()
		token := walkToken.FindStringSubmatch(at(step))
		if token == nil {
			t.Fatalf("the step %s has no form", step)
		}
		return b.Fill(phone+"/apply/"+step, append(pairs, "token", token[1])...)
	}
	b.Fill(phone + "/apply/begin")
	fill("password", "card-password", "WRONG123")
	fill("choose", "kind", "signature", "kind", "authentication")
	fill("notes", "consent", w.Scheme.Consent)
	fill("prepare")
	fill("card", "card", "taro")
	b.Wants(at("password"), "4") // tries left
	fill("password", "card-password", "TARO1980")
	fill("card", "card", "taro")
	fill("lift")
	fill("signature", "next", "PHONE123", "again", "PHONE123")
	fill("pin", "next", "2468", "again", "2468")
	waitFor(t, func() bool { return strings.Contains(b.Get(phone+"/apply/done"), "/application") })
}

// signPDFByForm has a PDF file signed and stamped at the page, and a file that is none refused.
func signPDFByForm(t *testing.T, b *worldtest.Browser, phone string) {
	t.Helper()
	contract, err := os.ReadFile("../../document/testdata/contract.pdf")
	if err != nil {
		t.Fatal(err)
	}
	fields := []string{"password", "PHONE123", "form", "pades", "timestamp", "1"}
	status, signed := b.Upload(phone+"/sign", map[string]string{"document": string(contract)}, fields...)
	if status != http.StatusOK {
		t.Fatalf("signing a PDF file: %d %s", status, signed)
	}
	pdf, err := document.ReadPDF([]byte(signed))
	if err != nil || len(pdf.Signatures) != 1 || !pdf.Signatures[0].Whole || !strings.HasPrefix(signed, string(contract)) {
		t.Fatalf("the signed file: %v", err)
	}
	if m, err := cms.Parse(pdf.Signatures[0].CMS); err != nil || m.Timestamp == nil {
		t.Errorf("there is no time-stamp: %v", err)
	}
	status, page := b.Upload(phone+"/sign", map[string]string{"document": "hello"}, fields...)
	if status == http.StatusOK {
		t.Error("a text was signed as PDF")
	}
	b.Wants(page, "PDF")
}

var shownCode = regexp.MustCompile(`<strong id="code">([0-9 ]{27})</strong>`)

// lifeByForms suspends by code, resumes by card, moves house and revokes at the pages.
func lifeByForms(t *testing.T, w *world.World, b *worldtest.Browser, code string) {
	phone, desk := w.Places.Phones+"/phones/phone-1", w.Places.Desk
	fill := func(status int, address string, pairs ...string) {
		t.Helper()
		if got, page := b.Fill(address, pairs...); got != status {
			t.Fatalf("%s: status %d, want %d\n%s", address, got, status, page)
		}
	}
	fill(http.StatusOK, desk+"/suspensions", "code", code)
	b.Wants(b.Get(phone+"/certificates"), "Reported lost or stolen")
	fill(http.StatusForbidden, phone+"/order", "verb", "revoke", "password", "WRONG123")
	b.Wants(b.Get(phone+"/suspend"), "resume with your card")
	for _, event := range []string{"reset", "listing", "repair", "new-phone"} {
		b.Wants(b.Get(phone+"/leaving?event="+event), "Mobile Suica")
		fill(http.StatusConflict, phone+"/leaving", "event", event)
	}
	fill(http.StatusForbidden, phone+"/leaving", "event", "repair", "choice", "revoke", "password", "WRONG123")
	fill(http.StatusUnprocessableEntity, phone+"/leaving", "event", "repair", "choice", "hold-until", "password", "PHONE123")
	fill(http.StatusOK, phone+"/leaving", "event", "new-phone", "choice", "keep")
	b.Wants(b.Get(phone+"/leaving?event=listing"), "value=\"not-me\"")
	fill(http.StatusOK, phone+"/leaving", "event", "listing", "choice", "not-me")
	b.Wants(b.Get(phone+"/certificates"), "> on hold</span>") // it changes nothing
	fill(http.StatusOK, desk+"/orders", "card", "taro", "verb", "resume", "cardPassword", "TARO1980")
	b.Wants(b.Get(phone+"/certificates"), "> valid</span>")
	fill(http.StatusOK, phone+"/order", "kind", "signature", "verb", "suspend", "password", "PHONE123")
	b.Wants(b.Get(phone+"/certificates"), "Suspended by you")
	fill(http.StatusOK, desk+"/events", "card", "taro", "event", "move")
	b.Wants(b.Get(phone+"/certificates"), "> revoked</span>")
	fill(http.StatusOK, phone+"/wipe")
	fill(http.StatusOK, phone+"/order", "kind", "authentication", "verb", "revoke", "pin", "2468")
	if page := b.Get(phone + "/check"); strings.Contains(page, "> valid</span>") || strings.Contains(page, ">on the chip<") {
		t.Errorf("something is left:\n%s", page)
	}
	b.Wants(b.Get(phone), "pply")
	fill(http.StatusOK, phone+"/leaving", "event", "reset")
	fill(http.StatusOK, phone+"/check")
}

var toPhones = regexp.MustCompile(`href="([^"]*/login\?at=[^"]*)"`)

// logIn begins at the bank, answers at the phones, and comes back.
func logIn(t *testing.T, w *world.World, b *worldtest.Browser) {
	_, page := b.Fill(w.Places.Bank + "/login")
	found := toPhones.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no way to the phones:\n%s", page)
	}
	address := strings.ReplaceAll(found[1], "&amp;", "&")
	b.Wants(b.Get(address), w.Places.Bank)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	at := u.Query().Get("at")
	if status, _ := b.Fill(w.Places.Phones+"/login", "at", at, "phone", "phone-1", "pin", "1111"); status != http.StatusForbidden {
		t.Errorf("a wrong PIN: status %d", status)
	}
	_, page = b.Fill(w.Places.Phones+"/login", "at", at, "phone", "phone-1", "pin", "2468")
	b.Wants(page, "Approved")
	b.Wants(b.Get(w.Places.Bank+"/login"), "You are logged in")
	if status, _ := b.Fill(w.Places.Phones+"/login", "at", "http://169.254.169.254/x", "phone", "phone-1", "pin", "2468"); status != http.StatusForbidden {
		t.Errorf("an address of nobody's: status %d", status)
	}
}

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	tick, late := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it did not happen within a minute")
		}
	}
}

// A page elsewhere can neither name the sandbox's places nor post to them.
func TestPlacesAnswerOnlyToTheirOwnNameAndPages(t *testing.T) {
	w := worldtest.Stand(t)
	for _, place := range []string{w.Places.Desk, w.Places.Phones, w.Places.Bank} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, place+"/", nil)
		r.Host = "rebound.example"
		foreign, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, place+"/login", nil)
		foreign.Header.Set("Origin", "https://thief.example")
		foreign.Header.Set("Sec-Fetch-Site", "cross-site")
		for _, request := range []*http.Request{r, foreign} {
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s: status %d", request.Method, place, answer.StatusCode)
			}
		}
	}
}

// Every sentence a page asks for stands in the catalogue.
func TestPagesAskForSentencesThatExist(t *testing.T) {
	w, b := worldtest.Stand(t), worldtest.NewBrowser(t)
	linked := regexp.MustCompile(`(href|src)="/assets/[^"]*"`)
	asked := regexp.MustCompile(`\b(desk|phones|app|bank|sandbox)\.[a-z]+(-[a-z]+)*\b`)
	for _, address := range []string{w.Places.Desk + "/", w.Places.Phones + "/", w.Places.Phones + "/phones/phone-1", w.Places.Phones + "/phones/phone-1/certificates", w.Places.Bank + "/"} {
		for _, lang := range text.Languages {
			if missing := asked.FindString(linked.ReplaceAllString(b.Get(address+"?lang="+string(lang)), "")); missing != "" && !text.Has(missing) {
				t.Errorf("%s in %s has no text %q", address, lang, missing)
			}
		}
	}
}

// What a reader selects through the desk's door stays selected for its next APDU.
func TestAReadersSessionLastsOverRequests(t *testing.T) {
	w, b := worldtest.Stand(t), worldtest.NewBrowser(t)
	for _, chip := range []string{"taro", "phone-1"} {
		door := w.Places.Desk + "/chips/" + chip
		answer := func(command string) string {
			_, answer := b.Send(http.MethodPost, door+"/apdu", "text/plain", strings.NewReader(command))
			return answer
		}
		if got := answer("00A4040C0AD392F000260100000001"); got != "9000\n" {
			t.Errorf("%s answers SELECT with %q", chip, got)
		}
		if got := answer("00A4 020C 02 0006"); got != "9000\n" {
			t.Errorf("%s has forgotten what was selected: %q", chip, got)
		}
		if status, _ := b.Send(http.MethodPost, door+"/power", "", nil); status != http.StatusNoContent {
			t.Errorf("power: status %d", status)
		}
		if got := answer("00A4020C020006"); got == "9000\n" {
			t.Errorf("%s remembers what was selected without power", chip)
		}
	}
}
