package facetest

import (
	"html"
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/persona"
	"warifu/sandbox/world"
	"warifu/text"
)

// Every flow of a registered phone goes with forms alone: nothing of it needs the script.
func TestAPhonesLifeNeedsNoScript(t *testing.T) {
	Long(t)
	w := World(t)
	who, lost := Persona(t, ""), Persona(t, "+locked@authentication")
	b := worldtest.NewBrowser(t)
	at := w.Places.Phones + "/phones/" + who.Phone
	fill := func(says, address string, pairs ...string) {
		t.Helper()
		if status, page := b.Fill(address, pairs...); status != 200 || !strings.Contains(html.UnescapeString(page), text.Sentence(says, text.English, nil)) {
			t.Fatalf("%s: status %d, and it does not say %q", address, status, says)
		}
	}
	secret := []string{"password", who.Password}
	fill("my.done.suspend", at+"/order", append(secret, "verb", "suspend", "ticks", "1", "kind", "authentication")...)
	fill("my.done.resume", at+"/order", append(secret, "verb", "resume", "kind", "authentication")...)
	fill("my.code.noted", at+"/order", append(secret, "verb", "code")...)
	fill("my.done.contact", at+"/contact", append(secret, "reading", "ミホン ハナコ", "telephone", "09000001234")...)
	fill("my.done.screenlock", at+"/screenlock", "pin", who.PIN, "gesture", "fingerprint:thumb")
	fill("my.done.screenlock-off", at+"/screenlock", "off", "1")
	fill("my.done.secret", at+"/secret", "kind", "authentication", "current", who.PIN, "next", "1357", "again", "1357")
	fill("ledger.none", at+"/ledger", "pin", "1357")
	fill("my.consents.none", at+"/consents", "pin", "1357")
	fill("my.done.check", at+"/check")
	fill("phones.left-hold-until", at+"/leaving", append(secret, "event", "repair", "choice", "hold-until", "until", w.Clock.Now().AddDate(0, 0, 3).Format("2006-01-02"))...)
	fill("my.done.resume", at+"/order", append(secret, "verb", "resume", "reason", "repair")...)
	fill("phones.left-revoke", at+"/leaving", append(secret, "event", "listing", "choice", "revoke")...)
	fill("my.done.reset", at+"/leaving", "event", "reset")

	at = w.Places.Phones + "/phones/" + lost.Phone + "/unlock"
	fill("app.card.hold", at, "kind", "authentication", "part", "password", "cardPassword", cardPassword(t, w, lost))
	fill("my.unlock.read", at, "kind", "authentication", "part", "tap", "card", lost.Person)
	fill("my.done.unlock", at, "kind", "authentication", "part", "new", "next", "9753", "again", "9753")
}

// The main screens go by keyboard alone, in the dark, and stand still for who wants that.
func TestThePhonesScreensGoByKeyboardInTheDark(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	who := Persona(t, "")
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		page, at := b.Page(t, size, string(lang)).Dark().Still(), w.Places.Phones+"/phones/"+who.Phone
		for _, screen := range []string{"", "certificates", "secret?kind=signature", "unlock?kind=signature", "screenlock", "revoke", "suspend", "contact", "leaving?event=listing", "forgotten"} {
			page.Go(strings.TrimSuffix(at+"/"+screen, "/")).Keyboard(t)
			if moving := page.Moving(); len(moving) > 0 {
				t.Errorf("%s moves: %v", screen, moving)
			}
		}
		page.Go(approving(w, loginLink(t, w, page), who.Phone)).Keyboard(t).Keyboard(t).Shot("phone-approve-dark")
		page.Follow(says(lang, "login.approve.decline"))
		page.Go(at + "/certificates").Shot("phone-certificates-dark")
	}
}

// Who has a name of two hundred letters, or one in letters that few machines have, uses the
// phone as everybody does, and so does who is asked by somebody with such a name.
func TestLongAndRareNamesLayOutOnAPhone(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, name := range []string{"nagai", "maria", "kaoru"} {
		who := named(t, w, name)
		lang := text.Languages[i%2]
		page, at := b.Page(t, browsertest.Phone, string(lang)), w.Places.Phones+"/phones/"+who.Phone
		page.Go(at+"/unlock?kind=authentication").Type("[name=cardPassword]", cardPassword(t, w, who)).Follow(says(lang, "app.step.next"))
		page.Choose("[name=card]", who.Person).Whole(t).Shot("phone-name-" + name)
		page.Follow(says(lang, "app.card.hold")).See(says(lang, "my.unlock.read")).Follow(says(lang, "my.unlock.away"))
		desk := b.Page(t, browsertest.Desktop, string(lang))
		link := signingLink(t, w, desk, who)
		page.Go(approving(w, link, who.Phone)).Whole(t).Shot("phone-name-sign-" + name)
		page.Click(number(strings.TrimSpace(desk.Text(".bignumber")))).Type("[name=password]", who.Password).Click(`form button:not([name=decline])`).See(says(lang, "login.approve.done"))
		page.Go(at+"/checked").Type("[name=pin]", who.PIN).Follow(says(lang, "ledger.read")).Until("#ledger").Whole(t)
		market := strings.Repeat("長い名前の中古品市場", 20)
		page.Go(w.Places.Phones + "/listed?nonce=" + strings.Repeat("0123456789abcdef", 2) + "&marketplace=" + market).Whole(t).Shot("phone-name-market")
	}
}

// named is a person of the sandbox's own with both certificates on a phone.
func named(t *testing.T, w *world.World, name string) persona.Made {
	t.Helper()
	phone := worldtest.Buy(t, w)
	v, err := w.Bureau.Show(name)
	if err != nil {
		t.Fatal(err)
	}
	worldtest.Own(t, w, phone, name)
	return persona.Made{Person: v.Person.Record().ID, Phone: phone, Password: worldtest.Password, PIN: worldtest.PIN}
}

// A PIN that the screen lock stands in for is taken away with the finger that is enrolled; a
// stranger's finger, and a face shown to the front camera alone, open nothing (R48, R49).
func TestTheScreenLockOpensForItsHolderAlone(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		who, lang := Persona(t, "+screenlock"), text.Languages[i]
		page, desk := b.Page(t, size, string(lang)), b.Page(t, browsertest.Desktop, string(lang))
		page.Go(approving(w, loginLink(t, w, desk), who.Phone))
		shown := strings.TrimSpace(desk.Text(".bignumber"))
		page.Click(number(shown)).Click(`label:has([value="fingerprint:stranger"])`).Follow(says(lang, "login.approve.do")).Until("#problem").Whole(t).Shot("phone-approve-stranger")
		page.Click(number(shown)).Click(`label:has([value="fingerprint:thumb"])`).Follow(says(lang, "login.approve.do")).See(says(lang, "login.approve.done"))
		page.Go(w.Places.Phones + "/phones/" + who.Phone + "/screenlock").Follow(says(lang, "phones.screenlock-off")).See(says(lang, "my.done.screenlock-off")).Whole(t).Shot("phone-screenlock-off")
		page.Go(w.Places.Phones + "/phones/" + who.Phone + "/screenlock").Whole(t).Shot("phone-screenlock-setup")
		page.Type("[name=pin]", "0000").Click(`label:has([value="fingerprint:thumb"])`).Follow(says(lang, "phones.screenlock-do")).See("2").Whole(t).Shot("phone-screenlock-refused")
	}
}
