package facetest

import (
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/sandbox/fault"
	"warifu/sandbox/person"
	"warifu/sandbox/phones"
	"warifu/text"
)

// Without script the whole way is gone, by forms and by screens that ask again by themselves:
// from the first page to the registered certificates and the screen lock.
func TestApplyingWithoutScript(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	page := b.Page(t, browsertest.Phone, "ja").Scriptless()
	at := walker{page, t, "", Person(t), false}
	at.Go(w.Places.Phones + "/").Click(`form[action="/phones"] button`).Until("a.banner")
	at.phone = at.Address()
	if at.Has(".reveal") {
		t.Error("the page's script ran")
	}
	at.Click(`a[href$="/about"]`).Click(`a.button[href$="/my"]`)
	if err := w.Faults.On(fault.Setting{Name: fault.AppSlow, Length: 2e9}); err != nil { // so that a screen is seen that waits
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Faults.Off(fault.AppSlow) })
	at.Click(`a[href$="/apply"]`)
	at.press("/apply/begin").Until(`noscript`)
	if err := w.Faults.Off(fault.AppSlow); err != nil {
		t.Fatal(err)
	}
	at.Until(`input[name="card-password"]`).Type(`input[name="card-password"]`, at.who.PINs.Signature)
	at.press("/password").press("/choose").Click(`input[name="consent"]`)
	at.press("/notes").Until(`form[action$="/apply/prepare"] button`)
	at.press("/prepare").Until("button.hold")
	at.toSent()
	at.Until(`a[href$="/application"].button`).Click(`a[href$="/application"].button`)
	for !at.Has(`a.button[href$="/register"]`) { // no notice comes without script: the menu tells
		at.Click(`a.button.quiet[href$="/application"]`)
	}
	at.Click(`a.button[href$="/register"]`)
	at.press("/register").Until("#code").Click(`input[name="noted"]`).Click(`button[value="screenlock"]`)
	at.Until(`input[name="pin"]`).Type(`input[name="pin"]`, "2468").Click(`input[value="fingerprint:thumb"]`).Click(`.screen form button`)
	at.See(text.Sentence("my.done.screenlock", text.Japanese, nil)).Go(at.phone)
	if !at.Has(".held-certificates .tag.good") {
		t.Error("home does not show that the certificates are valid")
	}
}

// The screen that waits for the card really waits: nothing moves for who wants no motion, the
// picture and the words say all of it, and the card that comes leads on by itself (R23).
func TestTheTapWaitsAndIsStill(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	at := walker{b.Page(t, browsertest.Phone, "ja"), t, bought(t, w, phones.Buy{}), Person(t), false}
	at.toCard(at.who.PINs.Signature).Until(".tap.waiting")
	if len(at.Moving()) == 0 {
		t.Error("the tap is not shown as it is done")
	}
	at.Still()
	if moving := at.Moving(); len(moving) > 0 {
		t.Errorf("to who wants none, these move: %v", moving)
	}
	at.shots = true
	at.screen("tap-still")
	other := at // a card that is laid on the phone elsewhere (the desk, a reader) is one tap, too
	other.Page = b.Page(t, browsertest.Desktop, "en")
	other.shots = false
	other.Go(at.phone+"/apply/card").Choose(`select[name="card"]`, at.who.ID).Click("button.hold").Until(`form[action$="/apply/lift"] button`)
	if moving := at.Go(at.phone + "/apply").Until(`form[action$="/apply/lift"] button`).Moving(); len(moving) > 0 {
		t.Errorf("after the tap, to who wants none, these move: %v", moving)
	}
}

// Where the card goes is said and shown for every position that a model one can apply with has (R23).
func TestEveryPositionOfTheCardIsShown(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	who := Person(t)
	for _, c := range []struct{ model, key string }{
		{"SO-51D", "word.nfc.mark"}, {"XIG03", "word.nfc.top"}, {"SC-51D", "word.nfc.centre"}, {"Pixel 10", "word.nfc.camera"},
	} {
		at := walker{b.Page(t, browsertest.Phone, "ja"), t, bought(t, w, phones.Buy{Model: c.model}), who, false}
		at.toCard(who.PINs.Signature).See(text.Sentence(c.key, text.Japanese, nil))
		at.shots = true
		at.screen(strings.ReplaceAll(c.key, ".", "-"))
	}
}

// Names of 100 characters, which is the most that a certificate has (profile.MaxName), and an
// address of 200; in Latin letters and with kanji outside the basic plane, lay out on
// every screen of the way at every size.
func TestLongNamesLayOut(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	long := person.Generator{Seed: 7, Start: w.Bureau.Start()}.Person(900_000).Record() // far from those of Person
	long.Name = "𠮷" + strings.Repeat("長", 48) + "　" + strings.Repeat("名", 49) + "𩸽"
	long.Registered, long.NameSubstitution = long.Name, ""
	if _, err := w.Bureau.New(long); err != nil {
		t.Fatal(err)
	}
	for _, who := range []person.Record{long, recordOf(t, "maria"), recordOf(t, "kaoru"), recordOf(t, "nagai")} {
		at := walker{b.Page(t, browsertest.Phone, "ja"), t, bought(t, w, phones.Buy{}), who, false}
		at.toCard(who.PINs.Signature).Choose(`select[name="card"]`, who.ID)
		at.shots = true
		at.screen("card-of-" + who.ID)
		at.shots = who.ID == long.ID
		at.toRegistered()
	}
}

func recordOf(t *testing.T, id string) person.Record {
	t.Helper()
	v, err := World(t).Bureau.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	return v.Person.Record()
}
