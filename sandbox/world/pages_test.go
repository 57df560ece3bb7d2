package world_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/cms"
	"warifu/document"
	"warifu/sandbox/world"
	"warifu/text"
)

// stand opens a world and serves it until the test ends.
func stand(t *testing.T) *world.World {
	t.Helper()
	w, err := world.Open(t.Context(), world.Config{Dir: t.TempDir(), AnyPort: true, Scheme: "badge"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() error { close(ready); return nil }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return w
}

// browser is a person at the pages: it keeps cookies and reads English.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar}}
}

func (b *browser) send(method, address, kind string, body io.Reader) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(page)
}

func (b *browser) get(address string) string {
	b.t.Helper()
	status, page := b.send(http.MethodGet, address, "", nil)
	if status != http.StatusOK {
		b.t.Fatalf("%s: status %d: %s", address, status, page)
	}
	return page
}

func (b *browser) fill(address string, pairs ...string) (int, string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, address, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (b *browser) upload(address string, files map[string]string, pairs ...string) (int, string) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, content := range files {
		part, err := form.CreateFormFile(name, name+".txt")
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = io.WriteString(part, content)
	}
	for i := 0; i < len(pairs); i += 2 {
		_ = form.WriteField(pairs[i], pairs[i+1])
	}
	_ = form.Close()
	return b.send(http.MethodPost, address, form.FormDataContentType(), &body)
}

func (b *browser) wants(page, sentence string) {
	b.t.Helper()
	if !strings.Contains(page, sentence) {
		b.t.Errorf("the page does not say %q:\n%s", sentence, page)
	}
}

// The whole walk by a person who has nothing but the pages.
func TestTheWalkByFormPagesAlone(t *testing.T) {
	w, b := stand(t), newBrowser(t)
	b.wants(b.get(w.Places.Desk+"/"), "TARO1980")
	b.wants(b.get(w.Places.Phones+"/"), "phone-1")
	phone := w.Places.Phones + "/phones/phone-1"
	applyByForms(t, b, w, phone)
	waitFor(t, func() bool { return strings.Contains(b.get(phone+"/application"), "ready to be registered") })
	_, page := b.fill(phone + "/register")
	waitFor(t, func() bool { page = b.get(phone + "/registered"); return shownCode.MatchString(page) })
	code := shownCode.FindStringSubmatch(page)
	b.wants(b.get(phone+"/certificates"), "> valid</span>")
	status, signature := b.upload(phone+"/sign", map[string]string{"document": "hello"}, "password", "PHONE123")
	if status != http.StatusOK {
		t.Fatalf("signing: %d %s", status, signature)
	}
	_, page = b.upload(w.Places.Bank+"/documents", map[string]string{"signature": signature, "document": "hello"})
	b.wants(page, "<strong>good</strong>")
	_, page = b.upload(w.Places.Bank+"/documents", map[string]string{"signature": signature, "document": "hullo"})
	b.wants(page, "signature-content-mismatch")
	signPDFByForm(t, b, phone)
	logIn(t, w, b)
	lifeByForms(t, w, b, code[1])
}

var walkToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// applyByForms walks the steps of an application (R32) with the pages' forms and no script; a
// screen that shows progress is asked again until it has gone on.
func applyByForms(t *testing.T, b *browser, w *world.World, phone string) {
	t.Helper()
	at := func(step string) (page string) {
		t.Helper()
		waitFor(t, func() bool {
			_, page = b.send(http.MethodGet, phone+"/apply/"+step, "", nil) // with the status of what was refused
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
		return b.fill(phone+"/apply/"+step, append(pairs, "token", token[1])...)
	}
	b.fill(phone + "/apply/begin")
	fill("password", "card-password", "WRONG123")
	fill("choose", "kind", "signature", "kind", "authentication")
	fill("notes", "consent", w.Scheme.Consent)
	fill("prepare")
	fill("card", "card", "taro")
	b.wants(at("password"), "4") // tries left
	fill("password", "card-password", "TARO1980")
	fill("card", "card", "taro")
	fill("lift")
	fill("signature", "next", "PHONE123", "again", "PHONE123")
	fill("pin", "next", "2468", "again", "2468")
	waitFor(t, func() bool { return strings.Contains(b.get(phone+"/apply/done"), "/application") })
}

// signPDFByForm has a PDF file signed and stamped at the page, and a file that is none refused.
func signPDFByForm(t *testing.T, b *browser, phone string) {
	t.Helper()
	contract, err := os.ReadFile("../../document/testdata/contract.pdf")
	if err != nil {
		t.Fatal(err)
	}
	fields := []string{"password", "PHONE123", "form", "pades", "timestamp", "1"}
	status, signed := b.upload(phone+"/sign", map[string]string{"document": string(contract)}, fields...)
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
	status, page := b.upload(phone+"/sign", map[string]string{"document": "hello"}, fields...)
	if status == http.StatusOK {
		t.Error("a text was signed as PDF")
	}
	b.wants(page, "PDF")
}

var shownCode = regexp.MustCompile(`<strong id="code">([0-9 ]{27})</strong>`)

// lifeByForms suspends by code, resumes by card, moves house and revokes at the pages.
func lifeByForms(t *testing.T, w *world.World, b *browser, code string) {
	phone, desk := w.Places.Phones+"/phones/phone-1", w.Places.Desk
	fill := func(status int, address string, pairs ...string) {
		t.Helper()
		if got, page := b.fill(address, pairs...); got != status {
			t.Fatalf("%s: status %d, want %d\n%s", address, got, status, page)
		}
	}
	fill(http.StatusOK, desk+"/suspensions", "code", code)
	b.wants(b.get(phone+"/certificates"), "Reported lost or stolen")
	fill(http.StatusForbidden, phone+"/order", "verb", "revoke", "password", "WRONG123")
	b.wants(b.get(phone+"/suspend"), "resume with your card")
	for _, event := range []string{"reset", "listing", "repair", "new-phone"} {
		b.wants(b.get(phone+"/leaving?event="+event), "Mobile Suica")
		fill(http.StatusConflict, phone+"/leaving", "event", event)
	}
	fill(http.StatusForbidden, phone+"/leaving", "event", "repair", "choice", "revoke", "password", "WRONG123")
	fill(http.StatusUnprocessableEntity, phone+"/leaving", "event", "repair", "choice", "hold-until", "password", "PHONE123")
	fill(http.StatusOK, phone+"/leaving", "event", "new-phone", "choice", "keep")
	b.wants(b.get(phone+"/leaving?event=listing"), "value=\"not-me\"")
	fill(http.StatusOK, phone+"/leaving", "event", "listing", "choice", "not-me")
	b.wants(b.get(phone+"/certificates"), "> on hold</span>") // it changes nothing
	fill(http.StatusOK, desk+"/orders", "card", "taro", "verb", "resume", "cardPassword", "TARO1980")
	b.wants(b.get(phone+"/certificates"), "> valid</span>")
	fill(http.StatusOK, phone+"/order", "kind", "signature", "verb", "suspend", "password", "PHONE123")
	b.wants(b.get(phone+"/certificates"), "Suspended by you")
	fill(http.StatusOK, desk+"/events", "card", "taro", "event", "move")
	b.wants(b.get(phone+"/certificates"), "> revoked</span>")
	fill(http.StatusOK, phone+"/wipe")
	fill(http.StatusOK, phone+"/order", "kind", "authentication", "verb", "revoke", "pin", "2468")
	if page := b.get(phone + "/check"); strings.Contains(page, "> valid</span>") || strings.Contains(page, ">on the chip<") {
		t.Errorf("something is left:\n%s", page)
	}
	b.wants(b.get(phone), "pply")
	fill(http.StatusOK, phone+"/leaving", "event", "reset")
	fill(http.StatusOK, phone+"/check")
}

var toPhones = regexp.MustCompile(`href="([^"]*/login\?at=[^"]*)"`)

// logIn begins at the bank, answers at the phones, and comes back.
func logIn(t *testing.T, w *world.World, b *browser) {
	_, page := b.fill(w.Places.Bank + "/login")
	found := toPhones.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no way to the phones:\n%s", page)
	}
	address := strings.ReplaceAll(found[1], "&amp;", "&")
	b.wants(b.get(address), w.Places.Bank)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	at := u.Query().Get("at")
	if status, _ := b.fill(w.Places.Phones+"/login", "at", at, "phone", "phone-1", "pin", "1111"); status != http.StatusForbidden {
		t.Errorf("a wrong PIN: status %d", status)
	}
	_, page = b.fill(w.Places.Phones+"/login", "at", at, "phone", "phone-1", "pin", "2468")
	b.wants(page, "Approved")
	b.wants(b.get(w.Places.Bank+"/login"), "You are logged in")
	if status, _ := b.fill(w.Places.Phones+"/login", "at", "http://169.254.169.254/x", "phone", "phone-1", "pin", "2468"); status != http.StatusForbidden {
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
	w := stand(t)
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
	w, b := stand(t), newBrowser(t)
	linked := regexp.MustCompile(`(href|src)="/assets/[^"]*"`)
	asked := regexp.MustCompile(`\b(desk|phones|app|bank|sandbox)\.[a-z]+(-[a-z]+)*\b`)
	for _, address := range []string{w.Places.Desk + "/", w.Places.Phones + "/", w.Places.Phones + "/phones/phone-1", w.Places.Phones + "/phones/phone-1/certificates", w.Places.Bank + "/"} {
		for _, lang := range text.Languages {
			if missing := asked.FindString(linked.ReplaceAllString(b.get(address+"?lang="+string(lang)), "")); missing != "" && !text.Has(missing) {
				t.Errorf("%s in %s has no text %q", address, lang, missing)
			}
		}
	}
}

// What a reader selects through the desk's door stays selected for its next APDU.
func TestAReadersSessionLastsOverRequests(t *testing.T) {
	w, b := stand(t), newBrowser(t)
	for _, chip := range []string{"taro", "phone-1"} {
		door := w.Places.Desk + "/chips/" + chip
		answer := func(command string) string {
			_, answer := b.send(http.MethodPost, door+"/apdu", "text/plain", strings.NewReader(command))
			return answer
		}
		if got := answer("00A4040C0AD392F000260100000001"); got != "9000\n" {
			t.Errorf("%s answers SELECT with %q", chip, got)
		}
		if got := answer("00A4 020C 02 0006"); got != "9000\n" {
			t.Errorf("%s has forgotten what was selected: %q", chip, got)
		}
		if status, _ := b.send(http.MethodPost, door+"/power", "", nil); status != http.StatusNoContent {
			t.Errorf("power: status %d", status)
		}
		if got := answer("00A4020C020006"); got == "9000\n" {
			t.Errorf("%s remembers what was selected without power", chip)
		}
	}
}
