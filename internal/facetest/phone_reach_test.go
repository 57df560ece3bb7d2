package facetest

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
	"warifu/sandbox/world"
	"warifu/text"
)

// A login reaches a phone whatever its screen shows: at rest, in a menu, while a password is
// being set anew, while a document is chosen. `make bench` keeps how long it took.
func TestALoginReachesEveryOpenScreen(t *testing.T) {
	measured(t)
	b, w := browsertest.Open(t), World(t)
	who := Persona(t, "")
	desk, hand := b.Page(t, browsertest.Desktop, "en"), b.Page(t, browsertest.Phone, "ja")
	var took []time.Duration
	for _, screen := range []string{"", "my", "certificates", "unlock?kind=signature", "sign", "leaving?event=repair", "revoke", "about", "apply", "checked"} {
		link := loginLink(t, w, desk)
		hand.Go(w.Places.Phones + "/phones/" + who.Phone + "/" + screen)
		asked := warifu.SystemClock{}.Now()
		put(t, w, who.Phone, link)
		hand.See(says("ja", "my.approve.prompt"))
		took = append(took, warifu.SystemClock{}.Now().Sub(asked))
		hand.Click("#bubble a").See(says("ja", "my.approve.asks")).Follow(says("ja", "login.approve.decline")).See(says("ja", "login.approve.declined"))
	}
	keep(t, answers(took))
}

// askedDirectly has the bank ask the phone by itself, and returns where the phone answers.
func askedDirectly(t *testing.T, w *world.World) string {
	t.Helper()
	var begun struct {
		Question struct {
			Transaction string `json:"transaction"`
		} `json:"question"`
	}
	if err := doorway.NewClient(w.Places.Bank).Post(context.Background(), "/api/login", struct{}{}, &begun); err != nil {
		t.Fatal(err)
	}
	return w.Places.Phones + "/login?" + url.Values{"at": {w.Places.Bank + "/api/login/" + begun.Question.Transaction}}.Encode()
}

// Who asks a phone without a provider between is answered on a screen of the phone, and
// nobody but the sandbox's own may ask.
func TestAPhoneAnswersWhoAsksItDirectly(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		who, lang := Persona(t, ""), text.Languages[i]
		worldtest.Buy(t, w) // there are several to choose from
		page := b.Page(t, size, string(lang)).Go(askedDirectly(t, w)).Whole(t).Shot("phone-login-which")
		page.Click(`a[href$="phone=` + who.Phone + `"]`).See(says(lang, "my.approve.asks")).Whole(t).Shot("phone-login")
		page.Type("[name=pin]", "12").Follow(says(lang, "login.approve.do")).Until("#problem").See("3").Whole(t)
		page.Type("[name=pin]", "0000").Follow(says(lang, "login.approve.do")).See("2").Whole(t).Shot("phone-login-refused")
		page.Type("[name=pin]", who.PIN).Follow(says(lang, "login.approve.do")).See(says(lang, "my.login.back")).Whole(t).Shot("phone-login-done")
		page.Go(w.Places.Phones + "/login?at=" + url.QueryEscape("http://thief.example/q")).See(asProblem(lang, "party-unknown")).Whole(t).Shot("phone-login-stranger")
	}
}

// signingLink has a form of the portal wait for its signature, and returns the link.
func signingLink(t *testing.T, w *world.World, desk *browsertest.Page, who persona.Made) string {
	t.Helper()
	if !strings.HasPrefix(desk.Address(), w.Places.Portal) {
		desk.Go(w.Places.Portal + "/visit")
		goesOn(t, desk, who)
	}
	desk.Go(w.Places.Portal+"/procedures/child-allowance").Choose("[name=town]", "13101").Type("[name=answer-child]", "見本 花子")
	desk.Choose("[name=answer-born]", "2025-04-01").Type("[name=answer-account]", "見本銀行 0000001").Click("main form button").Click(`a[href$="/sign"]`)
	return begunLink(t, w, desk)
}

// A signing password that can be none costs no try; a wrong one says how many are left, and the
// last leads to the card (R26, R29, K7).
func TestASignatureIsRefusedUntilThePasswordIsLocked(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		who, lang := Persona(t, "+password2left"), text.Languages[i]
		desk, hand := b.Page(t, browsertest.Desktop, string(lang)), b.Page(t, size, string(lang))
		link := signingLink(t, w, desk, who)
		shown := strings.TrimSpace(desk.Text(".bignumber"))
		hand.Go(approving(w, link, who.Phone))
		try := func(typed string) *browsertest.Page {
			return hand.Click(number(shown)).Type("[name=password]", typed).Click(`form button:not([name=decline])`)
		}
		try("ABC").See(asNext(lang, "secret-format")).Whole(t).Shot("phone-sign-impossible")
		left := func() (n int) {
			v, err := w.Phones.View(t.Context(), who.Phone)
			if err != nil {
				t.Fatal(err)
			}
			return v.Tries[warifu.Signature]
		}
		if left() != 2 {
			t.Errorf("an impossible password cost a try: %d left", left())
		}
		try("wrong１２３").See("1").Whole(t).Shot("phone-sign-wrong")
		try("WRONG123").See(says(lang, "part.locked.what")).Whole(t).Shot("phone-sign-locked")
		if left() != 0 || hand.Has("[name=password]") {
			t.Errorf("%d tries are left, and a password is asked for", left())
		}
		at := w.Places.Phones + "/phones/" + who.Phone
		for _, screen := range []string{"sign", "revoke", "suspend", "code", "contact"} {
			hand.Go(at + "/" + screen).See(says(lang, "part.locked.do")).Whole(t).Shot("phone-locked-" + screen[:4])
		}
		hand.Go(at + "/forgotten").See(says(lang, "my.forgotten.counter-agent"))
	}
}
