package facetest

import (
	"context"
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/doorway"
	"warifu/sandbox/persona"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// made brings a person into a state in a world of the test's own.
func made(t testing.TB, w *world.World, words string) persona.Made {
	t.Helper()
	var out persona.Made
	if err := doorway.NewClient(w.Places.Desk).Post(context.Background(), "/api/personas", persona.Wish{Name: words}, &out); err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	return out
}

// Somebody at a desk who has tried the sandbox for a minute, with one phone in it, is in the portal
// with three clicks: log in, open the app, approve. Nobody is asked which phone, and the code that
// cannot be scanned here has the way to the phone beside it.
func TestThePortalIsThreeClicksAway(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		page := b.Page(t, size, string(lang)).Go(w.Places.Portal + "/")
		if i == 0 {
			page.Click(`a[href="/visit"]`).Click(`.here a.button`).See(says(lang, "my.approve.lacking-next")).Shot("login-no-phone").Whole(t)
			made(t, w, "taro+screenlock")
			page.Go(w.Places.Portal + "/")
		}
		page.Click(`a[href="/visit"]`)
		var stand string
		page.Eval(`document.querySelector(".stand a").href`, &stand)
		hand := b.Page(t, browsertest.Phone, string(lang)).Go(stand).See(says(lang, "my.approve.number"))
		hand.Shot("login-other-phone").Whole(t)
		page.Click(`.here a.button`).Click(`form button.wide:not([name=decline])`)
		page.Until(`form[action="/leave"]`).Shot("portal-three-clicks").Whole(t)
		page.Click(`form[action="/leave"] button`)
	}
}

// What can become of a login while its page waits, at both sizes and in both languages.
func TestALoginsPageTellsWhatBecameOfIt(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	who := made(t, w, "hanako+phone")
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		page := b.Page(t, size, string(lang))
		wait := func() string { page.Go(w.Places.Portal + "/visit").Until(".bignumber"); return page.Address() }
		at := wait()
		page.Keyboard(t).Click(".there summary").Shot("login-wait").Whole(t)
		b.Page(t, size, string(lang)).Go(at).Shot("login-elsewhere").Whole(t) // another browser has nothing of it
		page.Go(w.Places.Server + "/l" + strings.TrimPrefix(at, w.Places.Server+"/login")).Shot("login-link").Whole(t)
		page.Go(at + "/app").Whole(t)
		page.Go(at).Click(`form[action$="/cancel"] button`).Until(".problem").Shot("portal-declined").Whole(t)
		page.Back().See(says(lang, "login.over.title")).Shot("login-cancelled").Whole(t)

		wait() // … and nobody answers in time
		worldtest.Forward(t, w, "+5m10s")
		page.See(says(lang, "login.page.expired")).Shot("login-expired").Whole(t)
		page.Click(`a[href$="/done"]`).Until(".problem").Shot("portal-timed-out").Whole(t)

		at = wait() // declined at the phone
		answer(t, w, who, at, phones.Approve{Decline: true})
		page.Until(".problem").Shot("portal-declined-at-phone").Whole(t)

		at = wait() // two tabs, each its own; the phone's word moves one
		second := b.Page(t, size, string(lang)).Go(w.Places.Portal + "/visit").Until(".bignumber")
		answer(t, w, who, at, phones.Approve{Unlock: phones.Unlock{PIN: who.PIN}, Number: strings.TrimSpace(page.Text(".bignumber"))})
		page.Until(`form[action="/leave"]`)
		if !second.Has(".bignumber") {
			t.Error("the other tab moved too")
		}
		page.Go(at).See(says(lang, "login.over.title")).Shot("login-done").Whole(t) // the back button of later
		page.Go(w.Places.Portal + "/").Click(`form[action="/leave"] button`)

		auth := w.Places.Server + "/api/realms/main/protocol/openid-connect/auth"
		for name, query := range map[string]string{
			"nobody": "?client_id=nobody", "nothing": "", "elsewhere": "?client_id=" + "warifu-sandbox-portal&redirect_uri=https://example.jp/&response_type=code&scope=openid",
		} {
			page.Go(auth + query).Until(".problem").Shot("login-bad-" + name).Whole(t)
		}
		page.Go(w.Places.Server + "/login/laaaaaaaaaaaaaaaaaaaaaaaaaa").Shot("login-unknown").Whole(t)
	}
}

// answer has the person's phone answer the login whose page is at an address, as if its code
// had been scanned.
func answer(t testing.TB, w *world.World, who persona.Made, at string, how phones.Approve) {
	t.Helper()
	how.Link = phones.Link{Link: w.Places.Server + "/l" + strings.TrimPrefix(at, w.Places.Server+"/login")}
	if _, err := w.Phones.Approve(context.Background(), who.Phone, how); err != nil {
		t.Fatal(err)
	}
}

// With the card at a reader: a wrong PIN and none are told, the tries with them, in the language
// that the person changes to, and nothing is sent again by it.
func TestALoginByCardIsToldInEitherLanguage(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		lang, other := text.Languages[i], text.Languages[1-i]
		who := Person(t)
		page := b.Page(t, size, string(lang)).Go(w.Places.Server + "/mine/enter").Click(`.of-card a.button`)
		page.Shot("reader").Whole(t)
		page.Choose("[name=card]", who.ID).Type("[name=pin]", "0000").Click("form button:not(.quiet)").Until(".problem").Shot("reader-wrong").Alone(t)
		title := page.Text(".problem strong")
		page.Click(`nav a[hreflang="` + string(other) + `"]`).Until(`html[lang="` + string(other) + `"] .problem`).Shot("reader-wrong-other")
		if page.Text(".problem strong") == title {
			t.Error("the problem is in the first language still")
		}
		page.Click(`nav a[hreflang="` + string(lang) + `"]`)
		if page.Text(".problem strong") != title {
			t.Errorf("%q is not %q: something was sent again", page.Text(".problem strong"), title)
		}
		page.Choose("[name=card]", who.ID).Type("[name=pin]", string(who.PINs.Authentication)).Click("form button:not(.quiet)")
		page.See(says(lang, "mine.by-card")).Shot("mine-card-only").Whole(t)
	}
}
