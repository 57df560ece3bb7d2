package facetest

import (
	"context"
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
	"warifu/sandbox/phones"
	"warifu/text"
)

// goesOn answers the login that the page waits for with the person's phone, as the app on the
// same device does, and takes the page back to who asked.
func goesOn(t testing.TB, page *browsertest.Page, who persona.Made) *browsertest.Page {
	t.Helper()
	w := World(t)
	id, is := strings.CutPrefix(page.Address(), w.Places.Server+"/login/")
	if !is {
		t.Fatalf("no login waits at %s", page.Address())
	}
	decided, err := w.Phones.Approve(context.Background(), who.Phone, phones.Approve{
		Link: phones.Link{Link: w.Places.Server + "/login/" + id + "/app"}, Password: who.Password, Unlock: phones.Unlock{PIN: who.PIN},
	})
	if err != nil {
		t.Fatal(err)
	}
	return page.Go(decided.Return)
}

// From the first page of every place that is a holder's it is two taps to a suspended phone:
// the head's link and the code's button; nobody is asked to log in.
func TestALostPhoneIsTwoTapsFromEveryPlace(t *testing.T) {
	b, w := browsertest.Open(t), World(t)
	p := w.Places
	page := b.Page(t, browsertest.Phone, "ja")
	for _, front := range []string{p.Server, p.Bank, p.Portal, p.Carrier, p.Cashless, p.Marketplace, p.Repair, p.Tax, p.EGov} {
		page.Go(front + "/").Click("a.lost")
		if page.Address() != p.Server+"/lost" || !page.Has("input[name=code]") {
			t.Fatalf("%s leads to %s", front, page.Address())
		}
	}
	page.Shot("lost").Whole(t)
	who := Persona(t, "")
	var code phones.Coded
	if err := doorway.NewClient(p.Phones).Post(context.Background(), "/api/phones/"+who.Phone+"/code", phones.Order{Password: who.Password}, &code); err != nil {
		t.Fatal(err)
	}
	page.Type("input[name=code]", code.SuspensionCode[:len(code.SuspensionCode)-1]+"x").Click("main form button").See("形式が正しくありません")
	if page.Text("main"); page.Has(`input[name=code][value]`) {
		t.Error("the code stands in the page again")
	}
	page.Shot("lost-refused").Whole(t)
	page.Type("input[name=code]", code.SuspensionCode).Click("main form button").See(says(text.Japanese, "lost.held")).Shot("lost-held").Whole(t)
	page.Back().Type("input[name=code]", code.SuspensionCode).Click("main form button").See(says(text.Japanese, "lost.held")) // the back button, and once more
	other := b.Page(t, browsertest.Desktop, "en").Go(p.Server + "/lost")
	other.Dark().Shot("lost-dark").Whole(t)
	other.Keyboard(t).Zoomed(t)
}

// A holder signs in with the phone, sees what they have and who checked them, and signs out.
func TestAHolderSignsInAndReadsWhoCheckedThem(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	who := Persona(t, "")
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		page := b.Page(t, size, string(lang))
		page.Go(w.Places.Server + "/").Shot("server-home").Whole(t)
		page.Follow(says(lang, "face.home.mine")).Shot("mine-sign-in").Whole(t)
		page.Click(`a[href="/mine/enter"]`).Shot("login").Whole(t)
		goesOn(t, page, who).See(says(lang, "mine.by-phone")).Shot("mine").Whole(t)
		page.Click(`a[href="/mine/checked"]`).See(text.Sentence("ledger.what.login", lang, nil)).Shot("mine-checked").Whole(t)
		page.Click(`a[href="/mine"]`).Click(`form[action="/mine/leave"] button`).See(says(lang, "mine.enter"))
		page.Back()
		if page.Sees(says(lang, "mine.by-phone")) {
			page.Go(page.Address()) // what a browser kept is the browser's; asked anew it is gone
		}
		page.See(says(lang, "mine.enter"))
	}
}

// Who gives up on the login's page is told that nothing happened, and may begin again.
func TestALoginThatIsGivenUpEndsWell(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	page := b.Page(t, browsertest.Phone, "en").Go(w.Places.Server + "/mine/enter")
	page.Click(`form[action$="/cancel"] button`).See(says(text.English, "mine.declined")).Shot("mine-declined").Whole(t)
	page.Back().See(says(text.English, "login.over.title")).Shot("login-over").Whole(t)
	page.Go(w.Places.Server + "/api/realms/main/protocol/openid-connect/auth?client_id=nobody").Shot("login-request-bad").Whole(t)
	page.Go(w.Places.Server + "/login/laaaaaaaaaaaaaaaaaaaaaaaaaa").Shot("login-unknown").Whole(t)
	page.Go(w.Places.Server + "/devices").Shot("devices").Whole(t)
	page.Go(w.Places.Server+"/clean-proofs").Type("[name=code]", "x").Click("main form button").Shot("clean-refused").Whole(t)
}
