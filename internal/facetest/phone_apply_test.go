package facetest

import (
	"context"
	"testing"

	"warifu/internal/browsertest"
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
