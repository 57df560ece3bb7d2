package facetest

import (
	"strings"
	"testing"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/sandbox/fault"
	"warifu/sandbox/person"
	"warifu/sandbox/phones"
	"warifu/text"
)

// inBoth runs a test in each language, at the size of a phone and of a desk: a refusal is the
// answer to a form, which cannot be asked for again in the other one. Japanese alone is
// looked at without make face.
func inBoth(t *testing.T, f func(t *testing.T, page *browsertest.Page, lang text.Lang)) {
	t.Helper()
	b := browsertest.Open(t)
	for i, lang := range text.Languages {
		t.Run(string(lang), func(t *testing.T) {
			if i > 0 {
				Long(t)
			}
			f(t, b.Page(t, browsertest.Sizes[i], string(lang)), lang)
		})
	}
}

// told is the title of a problem, up to the first of its parameters.
func told(slug string, lang text.Lang) string {
	title, _, _ := text.Problem(&warifu.Error{Problem: slug}, lang)
	title, _, _ = strings.Cut(title, "—") // what stands where a parameter is missing
	return title
}

// refused waits until the screen tells of a problem, and looks at it.
func (w walker) refused(name, slug string) walker {
	w.t.Helper()
	lang := text.English
	if w.Text(`html`) != "" && w.Has(`html[lang="ja"]`) {
		lang = text.Japanese
	}
	w.Until("#problem").See(told(slug, lang))
	w.shots = true
	return w.screen(name)
}

// What goes wrong on the way is told where it can be mended, and spends nothing it need not.
func TestEveryRefusalOnTheWay(t *testing.T) {
	w := World(t)
	inBoth(t, func(t *testing.T, page *browsertest.Page, lang text.Lang) {
		who := Person(t)
		at := walker{page, t, bought(t, w, phones.Buy{}), who, true}
		at.Go(at.phone + "/apply")
		at.press("/apply/begin").Until(`input[name="card-password"]`)
		for _, impossible := range []string{"みじかい", "1234", "PASS WORD-1"} {
			at.Type(`input[name="card-password"]`, impossible)
			at.press("/password").refused("impossible", "card-pin-format")
		}
		at.Type(`input[name="card-password"]`, "ｗｒｏｎｇ１２３").Press("Enter").See(text.Sentence("app.said.folded-card", lang, nil))
		at.screen("folded").Click(`input[value="authentication"]`).Click(`input[value="signature"]`)
		at.press("/choose").refused("none-chosen", "kinds-none")
		at.press("/choose").press("/notes").refused("no-consent", "consent-missing")
		at.Click(`summary`).Type(`input[name="reading"]`, "ミホン　タロウ").Type(`input[name="telephone"]`, "12").Click(`input[name="consent"]`)
		at.press("/notes").refused("contact", "contact-malformed")
		at.Type(`input[name="telephone"]`, "").Type(`input[name="reading"]`, "")
		at.press("/notes").Until(`form[action$="/apply/prepare"] button`).Click(`form[action$="/apply/prepare"] button`)
		at.Until("button.hold").Choose(`select[name="card"]`, who.ID).Click(`button[name="brief"]`)
		at.refused("torn", "card-removed").tapped()
		at.refused("wrong", "card-pin-wrong").See(text.Sentence("part.tries", lang, map[string]string{"n": "4"})) // the impossible ones spent none
		at.Type(`input[name="card-password"]`, strings.ToLower(who.PINs.Signature)).Press("Enter").Until(".tap.waiting")
		at.tapped().Until(`form[action$="/apply/lift"] button`).Back().Until(`form[action$="/apply/lift"] button`)
		at.press("/lift").Type(`input[name="next"]`, who.PINs.Signature).Type(`input[name="again"]`, who.PINs.Signature)
		at.press("/signature").refused("cards-own", "secret-is-cards")
		at.Type(`input[name="next"]`, "ABC").Type(`input[name="again"]`, "ABC")
		at.press("/signature").refused("short", "secret-format")
		at.Type(`input[name="next"]`, "PHONE123").Type(`input[name="again"]`, "PHONE124")
		at.press("/signature").refused("differ", "app-secrets-differ")
		at.Type(`input[name="next"]`, "ｐｈｏｎｅ１２３").Type(`input[name="again"]`, "phone123")
		at.press("/signature").See(text.Sentence("app.said.folded-phone", lang, nil))
		at.screen("folded-phone").Type(`input[name="next"]`, "12").Type(`input[name="again"]`, "12")
		at.press("/pin").refused("pin-short", "secret-format")
		at.press("/away").See(text.Sentence("app.said.given-up", lang, nil))
		at.screen("given-up")
		if at.Has(`.menu a[href$="/application"]`) {
			t.Error("an application that was given up is shown")
		}
		at.Back().See(text.Sentence("app.start.go", lang, nil)) // the screen of a walk that is over
		at.screen("expired")
	})
}

// A card's password that was wrong too often is locked, and the screen says where it is mended:
// the counter, a helper in the holder's place, a kiosk.
func TestTheCardsPasswordLocks(t *testing.T) {
	Long(t)
	w := World(t)
	inBoth(t, func(t *testing.T, page *browsertest.Page, lang text.Lang) {
		at := walker{page, t, bought(t, w, phones.Buy{}), Person(t), false}
		at.toCard("WRONG123")
		for left := 4; left > 0; left-- {
			at.tapped().Until(`input[name="card-password"]`).See(triesLeft(lang, left))
			if left == 1 {
				at.refused("last-try", "card-pin-wrong")
			}
			at.Type(`input[name="card-password"]`, "WRONG123").Press("Enter").Until(".tap.waiting")
		}
		at.tapped()
		at.refused("locked", "card-pin-blocked").Click(`a.button[href$="/forgotten"]`).See(text.Sentence("my.forgotten.counter-agent", lang, nil))
		at.screen("card-forgotten")
	})
}

func triesLeft(lang text.Lang, n int) string {
	if n == 1 {
		return text.Sentence("part.tries.one", lang, nil)
	}
	return text.Sentence("part.tries", lang, map[string]string{"n": string(rune('0' + n))})
}

// Cards that nobody can apply with: a child's, one that has expired, one on hold, a revoked one.
// What was typed is told to be of no use any more, before or after the card was asked.
func TestCardsThatCannotApply(t *testing.T) {
	Long(t)
	w := World(t)
	all, err := w.Bureau.Persons()
	if err != nil {
		t.Fatal(err)
	}
	child := ""
	for _, v := range all {
		if child == "" && person.Age(v.Person.Birth, w.Clock.Now()) < person.SigningAge {
			child = v.Person.ID
		}
	}
	inBoth(t, func(t *testing.T, page *browsertest.Page, lang text.Lang) {
		for _, c := range []struct{ name, card, slug string }{
			{"child", child, "card-signature-absent"}, {"expired-card", "goro", "card-certificate-expired"},
		} {
			at := walker{page, t, bought(t, w, phones.Buy{}), person.Record{ID: c.card}, false}
			at.toCard(secretOf(t, c.card)).tapped()
			at.refused(c.name, c.slug)
		}
		for _, c := range []struct{ name, card, slug string }{{"held-card", "mika", "card-held"}, {"revoked-card", "shin", "card-revoked"}} {
			at := walker{page, t, bought(t, w, phones.Buy{}), person.Record{ID: c.card}, false}
			at.toCard(secretOf(t, c.card)).toSent()
			at.refused(c.name, c.slug).See(text.Sentence("app.send.final", lang, nil)).Click(`form[action$="/apply/away"] button`)
			at.See(text.Sentence("app.said.given-up", lang, nil))
		}
		// Somebody else's card: its password is another one, and the screen asks whose card it was.
		at := walker{page, t, bought(t, w, phones.Buy{}), Person(t), false}
		at.toCard(Person(t).PINs.Signature).tapped()
		at.refused("others-card", "card-pin-wrong").See(text.Sentence("app.password.whose", lang, nil))
	})
}

// secretOf is the signing password of a person's card; for one that has none, a password.
func secretOf(t *testing.T, id string) string {
	t.Helper()
	v, err := World(t).Bureau.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	if s := v.Person.Record().PINs.Signature; s != "" {
		return s
	}
	return "ABCD1234"
}

// Models that are not supported show no banner and say why (R21, K4); what can be mended says
// how (R19, R20). The scheme of this world takes every version of the app.
func TestUnsupportedPhonesAreToldWhy(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	page := b.Page(t, browsertest.Phone, "en")
	for _, c := range []struct {
		slug string
		wish phones.Buy
	}{
		{"device-iphone", phones.Buy{Model: "iPhone16,1"}}, {"device-os-update", phones.Buy{Model: "Pixel 4a (5G)", OSBuild: "8"}},
		{"device-no-secure-element", phones.Buy{Model: "M2010J19SR"}},
		{"device-global-model", phones.Buy{Model: "XQ-DQ54"}}, {"device-not-verified", phones.Buy{Model: "SAMPLE-PENDING"}},
		{"device-verification-failed", phones.Buy{Model: "SAMPLE-FAILED"}},
	} {
		at := bought(t, w, c.wish)
		page.Go(at).See(told(c.slug, text.English)[:12])
		if page.Has("a.banner") {
			t.Errorf("%s: the banner is shown", c.slug)
		}
		page.Whole(t).Shot("phone-apply-" + c.slug).Go(at + "/apply").Until(".info, .care")
		if page.Has(`form[action$="/apply/begin"]`) {
			t.Errorf("%s: one can begin to apply", c.slug)
		}
		page.Whole(t).Go(at + "/my").Whole(t).Shot("phone-apply-my-" + c.slug).Go(at + "/about").Whole(t).Shot("phone-apply-about-" + c.slug)
	}
}

// The line is dead, or slow, or the server busy: the screens say so, keep what was typed, and go
// on when it is over. What takes long shows that it is under way.
func TestTheLineIsLostOnTheWay(t *testing.T) {
	Long(t)
	w := World(t)
	set := func(t *testing.T, s fault.Setting) {
		t.Helper()
		if err := w.Faults.On(s); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Faults.Off(s.Name) })
	}
	off := func(t *testing.T, name fault.Name) {
		t.Helper()
		if err := w.Faults.Off(name); err != nil {
			t.Fatal(err)
		}
	}
	offline, busy, slow := fault.Setting{Name: fault.AppOffline}, fault.Setting{Name: fault.AppBusy}, fault.Setting{Name: fault.AppSlow, Length: 1500e6}
	inBoth(t, func(t *testing.T, page *browsertest.Page, lang text.Lang) {
		at := walker{page, t, bought(t, w, phones.Buy{}), Person(t), false}
		set(t, offline)
		at.Go(at.phone).See(told("server-unreachable", lang))
		at.shots = true
		at.screen("offline-home").Go(at.phone + "/my").See(told("server-unreachable", lang))
		at.screen("offline-my")
		off(t, offline.Name)
		at.Go(at.phone + "/apply").Until(`form[action$="/apply/begin"] button`)
		set(t, busy)
		at.press("/apply/begin")
		at.refused("busy", "requests-too-many")
		off(t, busy.Name)
		at.shots = false
		at.Go(at.phone + "/apply").Until(`form[action$="/apply/begin"] button`)
		set(t, slow)
		at.press("/apply/begin").Until("#progress")
		off(t, slow.Name)
		at.Until(`input[name="card-password"]`).Type(`input[name="card-password"]`, at.who.PINs.Signature)
		at.press("/password").press("/choose").Click(`input[name="consent"]`)
		set(t, offline)
		at.press("/notes")
		at.refused("offline-prepare", "server-unreachable")
		off(t, offline.Name)
		at.shots = false
		at.press("/prepare").Until(`form[action$="/apply/prepare"] button`)
		at.press("/prepare").Until("button.hold")
		set(t, offline)
		at.toSent()
		at.refused("offline-send", "server-unreachable").See(text.Sentence("app.send.kept", lang, nil))
		off(t, offline.Name)
		at.press("/send").Until(`a[href$="/application"].button`).See(text.Sentence("app.done.received", lang, nil))
	})
}

// toSent goes from the card to where the application is handed in.
func (w walker) toSent() walker {
	w.t.Helper()
	w.tapped().Until(`form[action$="/apply/lift"] button`)
	w.press("/lift").Type(`input[name="next"]`, "PHONE123").Type(`input[name="again"]`, "PHONE123")
	w.press("/signature").Type(`input[name="next"]`, "2468").Type(`input[name="again"]`, "2468")
	return w.press("/pin")
}
