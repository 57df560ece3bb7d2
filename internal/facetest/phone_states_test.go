package facetest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/persona"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
	"warifu/text"
)

// changed are phones whose certificates became other than they were somewhere else: by the card
// bureau, by another phone, at a counter. A screen says what happened and what comes next.
var changed = []struct {
	words   string
	says    string // on the screen of the certificates
	home    string // on the home screen
	screens []string
}{
	{"+moved", "part.state.revoked", "part.state.good", []string{"", "certificates", "check", "sign"}},
	{"+card-hold", "my.hold.card", "part.state.held", []string{"", "certificates", "suspend"}},
	{"+renewed", "part.state.revoked", "app.home.banner", []string{"", "certificates", "my"}},
	{"+superseded", "my.reminder.not-me", "my.reminder.not-me", []string{"", "certificates", "check"}},
	{"+repair", "my.hold.repair", "my.suspend.title", []string{"", "certificates", "suspend"}},
	{"+hold", "my.hold.own-wish", "part.state.held", []string{"", "certificates", "leaving?event=listing"}},
	{"+revoked", "my.card.nothing", "app.home.banner", []string{"", "certificates", "my", "leaving?event=listing"}},
	{"+dead", "part.state.revoked", "app.home.banner", []string{"", "certificates"}},
	{"+nosig", "part.state.good", "part.state.good", []string{"", "certificates", "suspend", "revoke", "code", "sign"}},
	{"+pin1left", "part.state.good", "part.state.good", []string{"secret?kind=authentication"}},
}

func TestAPhoneSaysWhatBecameOfItsCertificatesElsewhere(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, one := range changed {
		who, lang := Persona(t, one.words), text.Languages[i%2]
		page, at := b.Page(t, browsertest.Phone, string(lang)), w.Places.Phones+"/phones/"+who.Phone
		everyScreen(t, page, at, "is-"+strings.Trim(one.words, "+")+"-", one.screens...)
		if page.Go(at + "/certificates"); !page.Sees(says(lang, one.says)) {
			t.Errorf("%s: the certificates do not say %q", one.words, one.says)
		}
		if page.Go(at); !page.Sees(says(lang, one.home)) {
			t.Errorf("%s: the home screen does not say %q", one.words, one.home)
		}
	}
}

// A screen that was open while the certificates changed elsewhere says so when it is used, and
// spends no try.
func TestAScreenThatWasOpenMeanwhileSpendsNoTry(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		who, lang := Persona(t, ""), text.Languages[i]
		page, at := b.Page(t, size, string(lang)), w.Places.Phones+"/phones/"+who.Phone
		page.Go(at + "/suspend")
		if _, err := w.Phones.Revoke(t.Context(), who.Phone, phones.Order{Password: who.Password}); err != nil {
			t.Fatal(err)
		}
		page.Type("[name=password]", who.Password).Follow(says(lang, "my.suspend.do")).Until("#problem").Whole(t).Shot("phone-meanwhile")
		page.Go(at + "/suspend").See(says(lang, "my.card.nothing")).Whole(t)
	}
}

// What stands in the way of an approval is said before a secret is asked for.
func TestWhatHindersAnApprovalIsSaidFirst(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, one := range []struct{ words, says string }{
		{"+hold@authentication", "my.approve.held-authentication"}, {"+noauth", "my.approve.lacking-authentication"}, {"+locked@authentication", "part.locked.what"},
	} {
		who, lang := Persona(t, one.words), text.Languages[i%2]
		page := b.Page(t, browsertest.Phone, string(lang))
		page.Go(approving(w, loginLink(t, w, page), who.Phone)).See(says(lang, one.says))
		if page.Whole(t).Shot("phone-approve-hindered-" + one.words[1:5]); page.Has("[name=pin]") {
			t.Errorf("%s: a PIN is asked for", one.words)
		}
		page.Follow(says(lang, "login.approve.decline")).See(says(lang, "login.approve.declined"))
	}
}

// An approval is good once: answered, from another tab too, and out of time it says so, and
// that nothing was sent.
func TestAnApprovalIsAnsweredOnceAndInTime(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	phone := worldtest.Buy(t, w)
	worldtest.Own(t, w, phone, "taro")
	for i, size := range browsertest.Sizes {
		lang := text.Languages[i]
		desk, hand, other := b.Page(t, browsertest.Desktop, string(lang)), b.Page(t, size, string(lang)), b.Page(t, size, string(lang))
		link := loginLink(t, w, desk)
		shown := strings.TrimSpace(desk.Text(".bignumber"))
		for _, page := range []*browsertest.Page{hand, other} {
			page.Go(w.Places.Phones+"/approve?at="+link).Click(number(shown)).Type("[name=pin]", worldtest.PIN)
		}
		hand.Follow(says(lang, "login.approve.do")).See(says(lang, "login.approve.done"))
		other.Follow(says(lang, "login.approve.do")).See(says(lang, "my.approve.nothing-sent")).Whole(t).Shot("phone-approve-twice")

		late := b.Page(t, browsertest.Desktop, string(lang))
		hand.Go(w.Places.Phones + "/approve?at=" + loginLink(t, w, late))
		hand.Click(number(strings.TrimSpace(late.Text(".bignumber")))).Type("[name=pin]", worldtest.PIN)
		worldtest.Forward(t, w, "+10m")
		hand.Follow(says(lang, "login.approve.do")).See(says(lang, "my.approve.nothing-sent")).Whole(t).Shot("phone-approve-late")
	}
}

// Three months, a month and a week before its end the phone tells of it, and the day after what
// can be done (R56).
func TestAPhoneTellsOfItsEnd(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	phone := worldtest.Buy(t, w)
	worldtest.Own(t, w, phone, "taro")
	at := w.Places.Phones + "/phones/" + phone
	page := b.Page(t, browsertest.Phone, "ja")
	v, err := w.Phones.View(t.Context(), phone)
	if err != nil {
		t.Fatal(err)
	}
	last := v.Kinds[0].Standing.NotAfter
	for _, one := range []struct {
		name   string
		before time.Duration
		shows  string
	}{{"3m", 85 * day, "part.state.good"}, {"1m", 25 * day, "part.state.good"}, {"1w", 5 * day, "part.state.good"}, {"over", -day, "part.state.expired"}} {
		if err := w.Clock.To(last.Add(-one.before)); err != nil {
			t.Fatal(err)
		}
		page.Go(at).Until(".screen .care").See(says("ja", one.shows)).Whole(t).Shot("phone-expiry-" + one.name)
		page.Go(at + "/certificates").Until(".screen .care").Whole(t).Shot("phone-expiry-" + one.name + "-certificates")
	}
}

const day = 24 * time.Hour

// Another phone takes over: the old one is told while that is coming, and says so afterwards.
func TestTheNewPhoneTakesOverAndTheOldOneSaysSo(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), worldtest.Stand(t)
	old := worldtest.Buy(t, w)
	worldtest.Own(t, w, old, "taro")
	next := worldtest.Buy(t, w)
	page := b.Page(t, browsertest.Phone, "ja")
	page.Go(w.Places.Phones + "/phones/" + old + "/leaving?event=new-phone").Click(`label:has([value=keep])`)
	page.Follow(says("ja", "phones.leaving-do")).See(says("ja", "phones.left-keep")).Whole(t).Shot("phone-change-keep")
	worldtest.Own(t, w, next, "taro")
	page.Go(w.Places.Phones + "/phones/" + next).See(says("ja", "part.state.good")).Whole(t).Shot("phone-change-new")
	page.Go(w.Places.Phones + "/phones/" + old).See(says("ja", "part.state.superseded")).See(says("ja", "my.reminder.not-me")).Whole(t).Shot("phone-change-old")
	page.Go(w.Places.Phones + "/phones/" + old + "/certificates").Whole(t).Shot("phone-change-old-certificates")
	page.Go(w.Places.Phones + "/phones/" + old + "/check").Follow(says("ja", "my.validity.do")).See(says("ja", "my.done.check"))
	page.Go(w.Places.Phones + "/phones/" + old + "/leaving?event=listing").See(says("ja", "phones.leaving-nothing")).Whole(t).Shot("phone-change-old-leaving")
}

// A relying party would like to be told attributes: the phone's holder sees who, which and what
// for, refuses one and grants the next; both stand among who checked them.
func TestAttributesAreToldOnlyWhenTheHolderAllowsIt(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for i, size := range browsertest.Sizes {
		who, lang := Persona(t, ""), text.Languages[i]
		page, at := b.Page(t, size, string(lang)), w.Places.Phones+"/phones/"+who.Phone
		account := openAccount(t, b, w, who, lang)
		for _, answer := range []string{"refuse", "grant"} {
			officer(t, w, "/api/records/"+account+"/latest")
			page.Go(at+"/consents").Type("[name=pin]", "0000").Follow(says(lang, "my.consents.read")).See("2").Whole(t).Shot("phone-consents-refused-pin")
			page.Type("[name=pin]", who.PIN).Follow(says(lang, "my.consents.read")).See(says(lang, "my.consents.attributes")).Whole(t).Shot("phone-consents-asked")
			page.Type("[name=pin]", who.PIN).Follow(says(lang, "my.consents."+answer))
			page.See(says(lang, map[string]string{"refuse": "my.done.refused", "grant": "my.done.granted"}[answer])).Whole(t).Shot("phone-consents-" + answer)
		}
		page.Go(at+"/checked").Type("[name=pin]", who.PIN).Follow(says(lang, "ledger.read")).Until("#ledger").Whole(t).Shot("phone-checked-told")
	}
}

// openAccount opens an account at the bank by a signature, and returns its number there.
func openAccount(t *testing.T, b *browsertest.Browser, w *world.World, who persona.Made, lang text.Lang) string {
	t.Helper()
	c := customer{t: t, page: b.Page(t, browsertest.Desktop, string(lang)), who: who, lang: lang}
	c.page.Go(w.Places.Bank + "/accounts")
	c.answers(`a[href^="/visit"]`)
	c.page.Click(`form[action="/accounts"] button`)
	c.answers(`a[href$="/sign"]`)
	c.page.Until(".receipt")
	parts := strings.Split(strings.TrimPrefix(c.page.Address(), w.Places.Bank), "/")
	return strings.SplitN(parts[2], "?", 2)[0]
}

// officer does something as the bank's compliance officer.
func officer(t *testing.T, w *world.World, path string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.Places.Bank+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("officer", "sandbox-officer")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", path, answer.StatusCode)
	}
}
