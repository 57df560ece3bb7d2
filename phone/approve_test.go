package phone_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/phone"
)

const login = "l" + "abcdefghijklmnopqrstuvwxyz"

// provider plays the server of a login under way and keeps what it is told.
type provider struct {
	question phone.LoginQuestion
	origin   string
	answers  []phone.LoginAnswer
	declined int
	back     string // the return address it answers with
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch r.Method + " " + r.URL.Path {
	case "GET /api/v1/logins/" + login:
		q := p.question
		if q.Way = r.URL.Query().Get("way"); q.Way == phone.WayApp {
			q.Numbers = nil
		}
		_ = json.NewEncoder(w).Encode(q)
	case "POST /api/v1/logins/" + login + "/answer":
		var a phone.LoginAnswer
		if json.NewDecoder(r.Body).Decode(&a) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.answers = append(p.answers, a)
		_ = json.NewEncoder(w).Encode(map[string]string{"return": p.back})
	case "POST /api/v1/logins/" + login + "/decline":
		p.declined++
		_, _ = w.Write([]byte("{}"))
	default:
		refuse(w, http.StatusNotFound, "login-unknown", nil)
	}
}

// asking is a person with a phone and a login that waits for it.
func asking(t *testing.T) (*housetest.House, *housetest.Phone, *provider) {
	t.Helper()
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	provider := &provider{}
	p.App.Server = serve(t, provider.ServeHTTP)
	provider.origin = p.App.Server.Origin()
	provider.back = provider.origin + "/login/" + login + "/done?return=x"
	q := phone.LoginQuestion{
		Login: login, Scopes: []string{"openid", "name", "address"}, Attributes: []string{"name", "address"}, Salt: make([]byte, 32),
		Numbers: []string{"17", "42", "90"}, Expires: h.Clock.Now().Add(5 * time.Minute),
	}
	q.Client.ID, q.Client.Origin, q.Client.Name.Ja, q.Client.Name.En = "bank", "https://bank.example", "見本銀行", "Sample Bank"
	q.Presence = phone.Question{
		Purpose: "login", ClientID: "bank", Origin: "https://bank.example", Transaction: login, Time: h.Clock.Now(),
		Nonce: q.Consent(q.Attributes).Nonce(q.Salt),
	}
	provider.question = q
	return h, p, provider
}

func (p *provider) link(way string) string {
	if way == phone.WayApp {
		return p.origin + "/login/" + login + "/app"
	}
	return p.origin + "/l/" + login
}

var pinTyped = phone.Unlock{Typed: housetest.Secrets.Authentication}

// What is signed is what was shown and left ticked, so that the server cannot tell more.
func TestAnApprovalIsOverWhatWasAgreed(t *testing.T) {
	_, p, provider := asking(t)
	for _, way := range []string{phone.WayApp, phone.WayQR} {
		q, err := p.App.Asked(ctx, provider.link(way))
		must(t, err)
		number := ""
		if way == phone.WayQR {
			number = "42"
		} else {
			must(t, p.App.EnableScreenLock(ctx, housetest.Secrets.Authentication, thumb))
		}
		unlock := map[string]phone.Unlock{phone.WayApp: {Gesture: &thumb}, phone.WayQR: {Typed: "２４６８"}}[way]
		if way == phone.WayQR {
			provider.back = ""
		}
		done, err := p.App.Approve(ctx, q, phone.Agreement{Attributes: []string{"name"}, Number: number, Unlock: unlock})
		must(t, err)
		if !slices.Equal(done.Agreed, []string{"name"}) || done.Return != provider.back {
			t.Errorf("%s: %+v", way, done)
		}
		a := provider.answers[len(provider.answers)-1]
		c, err := x509.ParseCertificate(a.Certificate)
		must(t, err)
		presence := attest.Presence{Purpose: "login", ClientID: "bank", Origin: "https://bank.example", Transaction: login, Time: q.Presence.Time,
			Nonce: attest.Consent{Client: "bank", Origin: "https://bank.example", Login: login, Attributes: []string{"name"}}.Nonce(q.Salt)}
		must(t, c.CheckSignature(algorithmOf(c), presence.Bytes(), a.Signature))
		presence.Nonce = q.Presence.Nonce
		if c.CheckSignature(algorithmOf(c), presence.Bytes(), a.Signature) == nil {
			t.Error("the signature is over more than was agreed")
		}
		want := map[string]string{phone.WayApp: "screen-lock", phone.WayQR: "pin"}[way]
		if a.Activation != want || a.Number != number || !slices.Equal(a.Agreed, []string{"name"}) {
			t.Errorf("%s: answered %q %q %v", way, a.Activation, a.Number, a.Agreed)
		}
	}
}

func algorithmOf(c *x509.Certificate) x509.SignatureAlgorithm {
	if c.PublicKeyAlgorithm == x509.RSA {
		return x509.SHA256WithRSA
	}
	return x509.ECDSAWithSHA256
}

// A question whose parts do not belong together would have something signed that nobody was shown.
func TestAQuestionThatContradictsItselfIsNotApproved(t *testing.T) {
	h, p, provider := asking(t)
	whole := provider.question
	for what, c := range map[string]struct {
		change func(*phone.LoginQuestion)
		slug   string
	}{
		"another client shown":     {func(q *phone.LoginQuestion) { q.Client.ID = "shop" }, "approve-malformed"},
		"another client signed":    {func(q *phone.LoginQuestion) { q.Presence.ClientID = "shop" }, "approve-malformed"},
		"another origin":           {func(q *phone.LoginQuestion) { q.Presence.Origin = "https://evil.example" }, "approve-malformed"},
		"another login":            {func(q *phone.LoginQuestion) { q.Presence.Transaction = "l" + strings.Repeat("a", 26) }, "approve-malformed"},
		"another purpose":          {func(q *phone.LoginQuestion) { q.Presence.Purpose = "revoke" }, "approve-malformed"},
		"a nonce of its own":       {func(q *phone.LoginQuestion) { q.Presence.Nonce = make([]byte, 32) }, "approve-malformed"},
		"attributes not shown":     {func(q *phone.LoginQuestion) { q.Attributes = q.Attributes[:1] }, "approve-malformed"},
		"an attribute twice":       {func(q *phone.LoginQuestion) { q.Attributes = []string{"name", "name"} }, "approve-malformed"},
		"a name that turns text":   {func(q *phone.LoginQuestion) { q.Client.Name.En = "Bank\u202e" }, "approve-malformed"},
		"no name":                  {func(q *phone.LoginQuestion) { q.Client.Name.Ja = "" }, "approve-malformed"},
		"a short salt":             {func(q *phone.LoginQuestion) { q.Salt = q.Salt[:16] }, "approve-malformed"},
		"no numbers from afar":     {func(q *phone.LoginQuestion) { q.Numbers = nil }, "approve-malformed"},
		"one number thrice":        {func(q *phone.LoginQuestion) { q.Numbers = []string{"42", "42", "42"} }, "approve-malformed"},
		"another class":            {func(q *phone.LoginQuestion) { q.Demands = "passport" }, "approve-malformed"},
		"a document without hash":  {func(q *phone.LoginQuestion) { q.Sign = &phone.SignWish{Name: "x"} }, "approve-malformed"},
		"the card demanded":        {func(q *phone.LoginQuestion) { q.Demands = phone.ClassCard }, "approve-card-demanded"},
		"too late":                 {func(q *phone.LoginQuestion) { q.Expires = h.Clock.Now() }, "approve-expired"},
		"a question of long ago":   {func(q *phone.LoginQuestion) { q.Presence.Time = h.Clock.Now().Add(-time.Hour) }, "approve-expired"},
		"a question of the future": {func(q *phone.LoginQuestion) { q.Presence.Time = h.Clock.Now().Add(time.Hour) }, "approve-expired"},
	} {
		provider.question = whole
		c.change(&provider.question)
		q, err := p.App.Asked(ctx, provider.link(phone.WayQR))
		wantProblem(t, what, c.slug, err)
		_, err = p.App.Approve(ctx, q, phone.Agreement{Number: "42", Unlock: pinTyped})
		if err == nil {
			t.Errorf("%s: approved", what)
		}
	}
	if len(provider.answers) != 0 {
		t.Errorf("%d answers were sent", len(provider.answers))
	}
}

// K7: what can be seen to be wrong is refused before a try is spent and before the server hears.
func TestNothingIsSpentOnAnApprovalThatCannotBe(t *testing.T) {
	h, p, provider := asking(t)
	q, err := p.App.Asked(ctx, provider.link(phone.WayQR))
	must(t, err)
	chip := p.App.Element
	p.App.Element = untouched(t)
	for what, c := range map[string]struct {
		g    phone.Agreement
		slug string
	}{
		"no PIN":                  {phone.Agreement{Number: "42"}, "secret-format"},
		"the signing password":    {phone.Agreement{Number: "42", Unlock: phone.Unlock{Typed: "PHONE123"}}, "secret-format"},
		"no number":               {phone.Agreement{Unlock: pinTyped}, "approve-number-missing"},
		"a number not offered":    {phone.Agreement{Number: "43", Unlock: pinTyped}, "approve-number-missing"},
		"an attribute of its own": {phone.Agreement{Attributes: []string{"gender"}, Number: "42", Unlock: pinTyped}, "approve-attribute-unasked"},
		"the front camera":        {phone.Agreement{Number: "42", Unlock: phone.Unlock{Gesture: &phone.Gesture{Method: phone.MethodSimpleFace}}}, "screen-lock-weak"},
		"a screen lock never set": {phone.Agreement{Number: "42", Unlock: phone.Unlock{Gesture: &thumb}}, "screen-lock-off"},
	} {
		_, err := p.App.Approve(ctx, q, c.g)
		wantProblem(t, what, c.slug, err)
	}
	h.Clock.Forward(6 * time.Minute)
	_, err = p.App.Approve(ctx, q, phone.Agreement{Number: "42", Unlock: pinTyped})
	wantProblem(t, "looked at for too long", "approve-expired", err)
	p.App.Element = chip
	if left := tries(t, p.App, warifu.Authentication); left != 3 || len(provider.answers) != 0 {
		t.Errorf("%d tries left, %d answers sent", left, len(provider.answers))
	}
	back, err := p.App.Decline(ctx, q)
	must(t, err)
	if provider.declined != 1 || back.Return != "" {
		t.Errorf("the server was told %d times, and this browser opened at %q", provider.declined, back.Return)
	}
	q.Way = phone.WayApp
	if back, err = p.App.Decline(ctx, q); err != nil || back.Return != provider.origin+"/login/"+login {
		t.Errorf("on the same device the browser is opened at %q, %v", back.Return, err)
	}
}

// Whoever opens the browser on the phone is the app: only at its own server, for this login.
func TestTheAppOpensOnlyItsServersReturnAddress(t *testing.T) {
	_, p, provider := asking(t)
	for _, back := range []string{"https://evil.example/", provider.origin + ".evil.example/login/" + login + "/done?return=x", provider.origin + "/elsewhere", "javascript:alert(1)"} {
		q, err := p.App.Asked(ctx, provider.link(phone.WayApp))
		must(t, err)
		provider.back = back
		_, err = p.App.Approve(ctx, q, phone.Agreement{Unlock: pinTyped})
		wantProblem(t, back, "server-answer-unreadable", err)
	}
}

func TestOnlyLinksOfTheOwnServerAreFetched(t *testing.T) {
	_, p, provider := asking(t)
	_, err := p.App.Asked(ctx, "https://evil.example/l/"+login)
	wantProblem(t, "another server", "approve-other-server", err)
	for _, link := range []string{"", "x", provider.origin, provider.origin + "/l/", provider.origin + "/l/short", provider.origin + "/login/" + login,
		provider.origin + "/l/" + login + "/../x", provider.origin + "/l/" + login + "?a=1", provider.origin + "/login/" + strings.ToUpper(login) + "/app",
		strings.Replace(provider.origin, "://", "://me@", 1) + "/l/" + login, provider.origin + "/l/" + login + strings.Repeat(" x", 300), "javascript:alert(1)"} {
		_, err := p.App.Asked(ctx, link)
		wantProblem(t, link, "approve-link-malformed", err)
	}
}

func FuzzParseLoginLink(f *testing.F) {
	f.Add("http://127.0.0.1:8400/l/" + login)
	f.Add("https://login.example.jp/login/" + login + "/app")
	f.Add("https://a/login/%6c/app")
	f.Fuzz(func(t *testing.T, link string) {
		l, err := phone.ParseLoginLink(link)
		if err != nil {
			return
		}
		if again, err := phone.ParseLoginLink(l.String()); err != nil || again != l {
			t.Errorf("%q is written as %q", link, l)
		}
		if len(l.Login) != 27 || (l.Way != phone.WayApp && l.Way != phone.WayQR) || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(link)), strings.ToLower(l.Origin)) {
			t.Errorf("%q is %+v", link, l)
		}
	})
}
