package facetest

import (
	"context"
	"testing"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/person"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// bought buys a phone of a model, and is the address of its first screen.
func bought(t *testing.T, w *world.World, wish phones.Buy) string {
	t.Helper()
	record, err := w.Phones.Buy(wish)
	if err != nil {
		t.Fatal(err)
	}
	return w.Places.Phones + "/phones/" + record.ID
}

// walker is a person at the screens of one phone.
type walker struct {
	*browsertest.Page
	t     *testing.T
	phone string
	who   person.Record
	shots bool // pictures are kept, and each screen is held to what every page must be
}

// screen looks at the screen at hand.
func (w walker) screen(name string) walker {
	w.t.Helper()
	if w.shots {
		w.Whole(w.t).Shot("phone-apply-" + name)
	}
	return w
}

func (w walker) press(form string) walker {
	w.t.Helper()
	w.Click(`form[action$="` + form + `"] button`)
	return w
}

// tapped holds the card to the phone; the walk goes on by itself.
func (w walker) tapped() walker {
	w.t.Helper()
	w.Choose(`select[name="card"]`, w.who.ID).Click("button.hold")
	return w
}

// toCard goes from マイページ to the step at which the card is waited for (② to ⑥).
func (w walker) toCard(password string) walker {
	w.t.Helper()
	w.Go(w.phone + "/my").Click(`a[href$="/apply"]`)
	w.screen("start").press("/apply/begin").screen("password").Type(`input[name="card-password"]`, password)
	w.press("/password").screen("choose").press("/choose").screen("notes").Click(`input[name="consent"]`)
	w.press("/notes").Until(`form[action$="/apply/prepare"] button`)
	return w.screen("prepare").press("/prepare").screen("card")
}

// toRegistered goes from the card to the registered certificates (⑦ to ⑪, and 登録).
func (w walker) toRegistered() walker {
	w.t.Helper()
	w.tapped().Until(`form[action$="/apply/lift"] button`)
	w.screen("lift").press("/lift").screen("signature").Type(`input[name="next"]`, "PHONE123").Type(`input[name="again"]`, "PHONE123")
	w.press("/signature").screen("pin").Type(`input[name="next"]`, "2468").Type(`input[name="again"]`, "2468")
	w.press("/pin").Until(`a[href$="/application"].button`)
	w.screen("done")
	w.Until(`#bubble:not([hidden]) a[href$="/register"]`) // the notice comes to the open screen (R42)
	w.screen("notice").Click(`#bubble a`)
	w.screen("register").press("/register").Until("#code")
	return w.screen("registered")
}

// The whole walk of R32 and the registration after it, as a person goes it at the screens.
func TestApplyingAtThePhone(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		who := Person(t)
		lang := string(text.Languages[i])
		at := walker{b.Page(t, size, lang), t, bought(t, w, phones.Buy{}), who, true}
		at.Go(w.Places.Phones + "/")
		at.screen("chooser").Go(at.phone)
		at.screen("home").Follow(text.Sentence("app.home.about", text.Lang(lang), nil))
		at.screen("about").Go(at.phone).Click("a.banner")
		at.screen("my").toCard(who.PINs.Signature).toRegistered()
		at.Click(`input[name="noted"]`).Click(`button[value="my"]`)
		at.screen("my-registered").Go(at.phone)
		if !at.Has(".held-certificates .tag.good") {
			t.Error("home does not show that the certificates are valid")
		}
		at.screen("home-registered").Go(at.phone + "/application")
		at.screen("application").Go(at.phone + "/notices")
		at.screen("notices")
	}
}

// What goes wrong on the way is told where it can be mended, and spends nothing it need not.
func TestEveryRefusalOnTheWay(t *testing.T) {
	b, w := browsertest.Open(t), World(t)
	who := Person(t)
	at := walker{b.Page(t, browsertest.Phone, "ja"), t, bought(t, w, phones.Buy{}), who, false}
	at.Go(at.phone + "/apply")
	at.press("/apply/begin").Type(`input[name="card-password"]`, "みじかい")
	at.press("/password").See("署名用パスワード")
	if !at.Has("#problem") {
		t.Error("a password that can never be one was taken")
	}
	at.shots = true
	at.screen("impossible").Type(`input[name="card-password"]`, "ｗｒｏｎｇ１２３").Press("Enter").See("大文字の半角に直し")
	at.screen("folded").Click(`input[value="authentication"]`).Click(`input[value="signature"]`)
	at.press("/choose").See("証明書が選ばれていません")
	at.screen("none-chosen").press("/choose").press("/notes").See("注意事項の確認が済んでいません")
	at.screen("no-consent").Click(`input[name="consent"]`)
	at.press("/notes").Until(`form[action$="/apply/prepare"] button`).Click(`form[action$="/apply/prepare"] button`)
	at.Choose(`select[name="card"]`, who.ID).Click(`button[name="brief"]`).Until("#problem")
	at.screen("torn").tapped().Until(`input[name="card-password"]`)
	at.See("あと4回")
	at.screen("wrong").Type(`input[name="card-password"]`, who.PINs.Signature).Press("Enter").Until(".tap.waiting")
	at.tapped().Until(`form[action$="/apply/lift"] button`).Back().Until(`form[action$="/apply/lift"] button`)
	at.press("/lift").Type(`input[name="next"]`, who.PINs.Signature).Type(`input[name="again"]`, who.PINs.Signature)
	at.press("/signature").Until("#problem")
	at.screen("cards-own").Type(`input[name="next"]`, "PHONE123").Type(`input[name="again"]`, "PHONE124")
	at.press("/signature").See("2回の入力が一致しません")
	at.screen("differ").press("/away").See("何も送られていません")
	at.screen("given-up")
	if at.Has(`.menu a[href$="/application"]`) {
		t.Error("an application that was given up is shown")
	}
	at.Back().See(text.Sentence("app.start.go", text.Japanese, nil)) // the screen of a walk that is over
	at.screen("expired")
}

// A model that is not supported shows no banner and says why (R21, K4); what can be mended says how (R19, R20).
func TestUnsupportedPhonesAreToldWhy(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	page := b.Page(t, browsertest.Phone, "en")
	for _, c := range []struct {
		name, says string
		wish       phones.Buy
	}{
		{"iphone", "An iPhone cannot be used", phones.Buy{Model: "iPhone16,1"}},
		{"old-system", "system must be updated first", phones.Buy{Model: "Pixel 4a (5G)", OSBuild: "8"}},
	} {
		page.Go(bought(t, w, c.wish)).See(c.says)
		if page.Has("a.banner") {
			t.Errorf("%s: the banner is shown", c.name)
		}
		page.Whole(t).Shot("phone-apply-" + c.name).Go(page.Address() + "/apply").See(c.says)
		if page.Has(`form[action$="/apply/begin"]`) {
			t.Errorf("%s: one can begin to apply", c.name)
		}
	}
}

// When the certificates will be there is told by the hours (R38–R41), and what lies too long is cleared.
func TestAfterHoursAndLeftLying(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	w := worldtest.Stand(t, func(c *world.Config) { c.Scheme = "jp-mobile" })
	worldtest.Forward(t, w, "20:00")
	at := walker{b.Page(t, browsertest.Phone, "en"), t, bought(t, w, phones.Buy{}), person.Record{}, true}
	at.Go(at.phone + "/apply").See("in the order of arrival")
	at.screen("after-hours").press("/apply/begin").Until(`input[name="card-password"]`)
	worldtest.Forward(t, w, "+1h")
	at.Type(`input[name="card-password"]`, "ABCD1234").Press("Enter").See("cleared, because time has passed")
	at.screen("left-lying")
}

// A child's card has no signing certificate (K14), and the screen says so before anything is spent.
func TestAChildsCardIsToldApart(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	all, err := w.Bureau.Persons()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if person.Age(v.Person.Birth, w.Clock.Now()) < person.SigningAge {
			at := walker{b.Page(t, browsertest.Phone, "ja"), t, bought(t, w, phones.Buy{}), person.Record{ID: v.Person.ID}, false}
			at.toCard("ABCD1234").tapped().Until("#problem")
			at.shots = true
			at.screen("child").See("署名用電子証明書")
			return
		}
	}
	t.Fatal("no child has a card")
}

// An application that two tabs fill in, or one that is sent twice, is one application.
func TestTwoTabsAreOneApplication(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	who := Person(t)
	at := walker{b.Page(t, browsertest.Phone, "ja"), t, bought(t, w, phones.Buy{}), who, false}
	other := at
	other.Page = b.Page(t, browsertest.Desktop, "en")
	at.Go(at.phone + "/apply")
	at.press("/apply/begin").Type(`input[name="card-password"]`, who.PINs.Signature)
	other.Go(at.phone + "/apply")
	other.Type(`input[name="card-password"]`, who.PINs.Signature)
	at.press("/password").press("/choose")
	other.press("/password").Until(`form[action$="/choose"]`) // a step before the chip is touched may be changed
	at.Click(`input[name="consent"]`)
	other.press("/choose").Click(`input[name="consent"]`)
	at.press("/notes").Until(`form[action$="/apply/prepare"] button`)
	other.press("/notes").Until(`form[action$="/apply/prepare"] button`)
	if _, err := w.Phones.View(context.Background(), "phone-none"); err == nil {
		t.Error("a phone that there is not is looked at")
	}
	other.Go(at.phone)
	if !other.Has(`a.banner[href$="/apply"]`) {
		t.Error("home does not lead back to the application that is under way")
	}
}
