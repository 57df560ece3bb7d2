package oidc_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/oidc"
)

// question asks as the app on the same device does.
func (w *town) question(login, way string) oidc.Question {
	w.t.Helper()
	q, err := w.provider.Question(ctx, login, way)
	must(w.t, err)
	return q
}

// An answer belongs to one login, one relying party, one consent and one holder.
func TestAnAnswerToSomethingElseIsNoAnswer(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at, other := w.begin(w.ask(bank, "scope", "openid name address")), w.begin(w.ask(shop, "scope", "openid name address"))
	q, second := w.question(at.login, oidc.WayApp), w.question(other.login, oidc.WayApp)
	k := openPhone(t, w.phone)
	good := k.answers(t, q, "name")
	for name, c := range map[string]struct {
		slug   string
		change func(*oidc.Answer)
	}{
		"relayed from another relying party": {"login-presence-bad", func(a *oidc.Answer) { *a = k.answers(t, second, "name") }},
		"more attributes than were signed":   {"login-presence-bad", func(a *oidc.Answer) { a.Agreed = []string{"name", "address"} }},
		"fewer attributes than were signed":  {"login-presence-bad", func(a *oidc.Answer) { a.Agreed = nil }},
		"an attribute that was not asked":    {"login-answer-malformed", func(a *oidc.Answer) { a.Agreed = []string{"gender"} }},
		"an attribute twice":                 {"login-answer-malformed", func(a *oidc.Answer) { a.Agreed = []string{"name", "name"} }},
		"for another origin": {"login-presence-bad", func(a *oidc.Answer) {
			o := q
			o.Client.Origin = "https://evil.example"
			o.Presence.Origin = o.Client.Origin
			*a = k.answers(t, o, "name")
		}},
		"for another purpose": {"login-presence-bad", func(a *oidc.Answer) {
			o := q
			o.Presence.Purpose = "personalize"
			*a = k.answers(t, o, "name")
		}},
		"of another time": {"login-presence-bad", func(a *oidc.Answer) {
			o := q
			o.Presence.Time = o.Presence.Time.Add(time.Second)
			*a = k.answers(t, o, "name")
		}},
		"a signature changed":          {"login-presence-bad", func(a *oidc.Answer) { a.Signature = slices.Clone(a.Signature); a.Signature[10] ^= 1 }},
		"no signature":                 {"login-answer-malformed", func(a *oidc.Answer) { a.Signature = nil }},
		"no certificate":               {"login-answer-malformed", func(a *oidc.Answer) { a.Certificate = nil }},
		"garbage for certificate":      {"login-answer-malformed", func(a *oidc.Answer) { a.Certificate = []byte("garbage") }},
		"an authority's certificate":   {"login-presence-bad", func(a *oidc.Answer) { a.Certificate = w.CAs[warifu.Authentication].Raw }},
		"no word of how it was opened": {"login-answer-malformed", func(a *oidc.Answer) { a.Activation = "shouted" }},
		"a number of three digits":     {"login-answer-malformed", func(a *oidc.Answer) { a.Number = "123" }},
		"something signed":             {"login-answer-malformed", func(a *oidc.Answer) { a.Signed = &oidc.Signed{Signature: []byte("x")} }},
	} {
		t.Run(name, func(t *testing.T) {
			w.open() // each begins with no wrong answers counted
			a := good
			c.change(&a)
			_, err := w.provider.Answer(ctx, at.login, a)
			wants(t, err, c.slug)
		})
	}
	if lines := w.lines(); len(lines) != 0 {
		t.Errorf("%+v", lines)
	}
	if _, err := w.provider.Answer(ctx, at.login, good); err != nil { // the browser had stayed
		t.Error(err)
	}
}

// The signature key never logs in.
func TestASignatureCredentialIsNoPresence(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank))
	k, signing := w.openCard(person)
	a := k.answers(t, w.question(at.login, oidc.WayApp))
	a.Certificate = signing
	_, err := w.provider.Answer(ctx, at.login, a)
	if err == nil {
		t.Fatal("a signature certificate logged in")
	}
}

func TestTheOtherClassIsToldSoAndTheBrowserStays(t *testing.T) {
	w := newTown(t, housetest.Options{})
	byCard, byPhone := w.begin(w.ask(bank, "acr_values", "aal3 urn:warifu:class:card")), w.begin(w.ask(bank, "acr_values", "urn:warifu:class:phone"))
	_, err := w.provider.Answer(ctx, byCard.login, openPhone(t, w.phone).answers(t, w.question(byCard.login, oidc.WayApp)))
	wants(t, err, "login-demands-card")
	card, _ := w.openCard(person)
	_, err = w.provider.Answer(ctx, byPhone.login, card.answers(t, w.question(byPhone.login, oidc.WayApp)))
	wants(t, err, "login-demands-phone")
	for _, at := range []tab{byCard, byPhone} {
		v, err := w.provider.View(ctx, at.login, at.cookie)
		must(t, err)
		if v.State != oidc.Waiting {
			t.Error(v.State)
		}
	}
	w.approve(byPhone.login)
	either := w.begin(w.ask(bank, "acr_values", "urn:warifu:class:phone urn:warifu:class:card"))
	w.approve(either.login)
}

func TestAttributesOfAnotherCardAreRefused(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank, "scope", "openid name"))
	card, _ := w.openCard(person)
	_, others := w.openCard("hanako")
	a := card.answers(t, w.question(at.login, oidc.WayApp), "name")
	a.AttributesFrom = others
	_, err := w.provider.Answer(ctx, at.login, a)
	wants(t, err, "login-attributes-other-card")
	a.AttributesFrom = nil
	done, err := w.provider.Answer(ctx, at.login, a)
	must(t, err)
	if !slices.Equal(done.Missing, []string{"name"}) {
		t.Errorf("%v", done.Missing)
	}
	back, _ := url.Parse(done.Return)
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, back.Query().Get("return"))
	must(t, err)
	u, _ := url.Parse(redirect)
	tokens := w.exchange(bank, u.Query().Get("code")).tokens()
	if info := w.userinfo(tokens.access).json(); info["name"] != nil || info["warifu_missing"] == nil {
		t.Errorf("%v", info)
	}
}

// A wrong number means that somebody else's browser waits: it gets nothing, and the holder
// reads of it.
func TestAWrongNumberEndsTheLoginAndStandsInTheLedger(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank))
	q := w.question(at.login, oidc.WayQR)
	v, err := w.provider.View(ctx, at.login, at.cookie)
	must(t, err)
	a := openPhone(t, w.phone).answers(t, q)
	a.Number = q.Numbers[0]
	if a.Number == v.Number {
		a.Number = q.Numbers[1]
	}
	_, err = w.provider.Answer(ctx, at.login, a)
	wants(t, err, "login-number-wrong")
	a.Number = v.Number
	_, err = w.provider.Answer(ctx, at.login, a)
	wants(t, err, "login-over")
	redirect, err := w.provider.Finish(ctx, at.login, at.cookie, "")
	must(t, err)
	if !strings.Contains(redirect, "error=access_denied") || strings.Contains(redirect, "code=") {
		t.Error(redirect)
	}
	lines := w.lines()
	if len(lines) != 1 || lines[0].What != ledger.LoggedIn || lines[0].Result != "refused" || !slices.Equal(lines[0].Reasons, []string{"login-number-wrong"}) {
		t.Errorf("%+v", lines)
	}
}

// Whoever begins a login and has somebody else approve it on their own device gets nothing by
// it: the browser that opens the return address has no cookie, the one with the cookie no address.
func TestAnAnswerOnTheSameDeviceServesTheBrowserWithCookieAndAddressAlone(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at, other := w.begin(w.ask(bank)), w.begin(w.ask(bank))
	back, othersBack := w.approve(at.login), w.approve(other.login)
	for name, c := range map[string]struct{ cookie, back, slug string }{
		"no address":         {at.cookie, "", "login-return-wrong"},
		"another's address":  {at.cookie, othersBack, "login-return-wrong"},
		"an address changed": {at.cookie, flip(back), "login-return-wrong"},
		"no cookie":          {"", back, "login-cookie-wrong"},
		"another's cookie":   {other.cookie, back, "login-cookie-wrong"},
	} {
		_, err := w.provider.Finish(ctx, at.login, c.cookie, c.back)
		if warifu.ProblemOf(err).Problem != c.slug {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.provider.View(ctx, at.login, other.cookie)
	wants(t, err, "login-cookie-wrong")
	_, err = w.provider.Cancel(ctx, at.login, other.cookie)
	wants(t, err, "login-cookie-wrong")
	_, err = w.provider.Finish(ctx, at.login, at.cookie, back)
	must(t, err)
	_, err = w.provider.Finish(ctx, at.login, at.cookie, back) // the back button
	wants(t, err, "login-finished")
}

func TestALoginIsAnsweredOnce(t *testing.T) {
	w := newTown(t, housetest.Options{})
	w.approve(w.begin(w.ask(shop)).login) // the house's responder has been appointed
	at := w.begin(w.ask(bank))
	a := openPhone(t, w.phone).answers(t, w.question(at.login, oidc.WayApp))
	const rivals = 6
	got := make(chan error, rivals)
	for range rivals {
		go func() { _, err := w.provider.Answer(context.Background(), at.login, a); got <- err }()
	}
	good := 0
	for range rivals {
		if err := <-got; err == nil {
			good++
		} else {
			wants(t, err, "login-over")
		}
	}
	if good != 1 || len(w.lines()) != 2 {
		t.Errorf("%d answers were good, %d lines", good, len(w.lines()))
	}
	_, err := w.provider.Answer(ctx, at.login, a)
	wants(t, err, "login-over")
	wants(t, w.provider.Decline(ctx, at.login), "login-over")
	_, err = w.provider.Cancel(ctx, at.login, at.cookie)
	wants(t, err, "login-over")
}

func TestAnExpiredLoginLeadsBackWithAnError(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at, approved := w.begin(w.ask(bank)), w.begin(w.ask(bank))
	k := openPhone(t, w.phone)
	a := k.answers(t, w.question(at.login, oidc.WayApp))
	back := w.approve(approved.login)
	_, err := w.provider.Finish(ctx, at.login, at.cookie, "")
	wants(t, err, "login-waiting")
	w.Clock.Forward(5 * time.Minute)
	_, err = w.provider.Answer(ctx, at.login, a)
	wants(t, err, "login-over")
	_, err = w.provider.Question(ctx, at.login, oidc.WayApp)
	wants(t, err, "login-over")
	for _, one := range []tab{at, approved} {
		v, err := w.provider.View(ctx, one.login, one.cookie)
		must(t, err)
		if v.State != oidc.Expired || v.Number != "" {
			t.Errorf("%+v", v)
		}
		redirect, err := w.provider.Finish(ctx, one.login, one.cookie, back)
		must(t, err)
		if !strings.Contains(redirect, "error=access_denied") || !strings.Contains(redirect, "state=a+state") || strings.Contains(redirect, "code=") {
			t.Error(redirect)
		}
	}
	w.Clock.Forward(16 * time.Minute)
	_, err = w.provider.Sweep(ctx)
	must(t, err)
	_, err = w.provider.View(ctx, at.login, at.cookie)
	wants(t, err, "login-unknown")
}

func TestADeclinedAndACancelledLoginLeadBackWithAccessDenied(t *testing.T) {
	w := newTown(t, housetest.Options{})
	declined, cancelled := w.begin(w.ask(bank)), w.begin(w.ask(bank))
	waits := w.provider.Wait(ctx, declined.login)
	must(t, w.provider.Decline(ctx, declined.login))
	if !sleepless(waits) {
		t.Error("nobody was woken")
	}
	redirect, err := w.provider.Finish(ctx, declined.login, declined.cookie, "")
	must(t, err)
	second, err := w.provider.Cancel(ctx, cancelled.login, cancelled.cookie)
	must(t, err)
	for _, r := range []string{redirect, second} {
		if !strings.HasPrefix(r, bankBack+"?error=access_denied&") {
			t.Error(r)
		}
	}
}

func TestTwoTabsDoNotDisturbEachOther(t *testing.T) {
	w := newTown(t, housetest.Options{})
	first, second := w.begin(w.ask(bank)), w.begin(w.ask(bank))
	if first.login == second.login || first.cookie == second.cookie {
		t.Fatal("two tabs, one login")
	}
	one, two := w.approve(first.login), w.approve(second.login)
	for _, c := range []struct {
		tab
		back string
	}{{second, two}, {first, one}} {
		_, err := w.provider.Finish(ctx, c.login, c.cookie, c.back)
		must(t, err)
	}
}

func TestWrongAnswersAreCounted(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank))
	a := openPhone(t, w.phone).answers(t, w.question(at.login, oidc.WayApp))
	bad := a
	bad.Signature = slices.Clone(a.Signature)
	bad.Signature[12] ^= 1
	for range 10 {
		_, err := w.provider.Answer(ctx, at.login, bad)
		wants(t, err, "login-presence-bad")
	}
	_, err := w.provider.Answer(ctx, at.login, a)
	wants(t, err, "login-answers-too-many")
}

func TestALoginThatIsNotThereIsUnknownHoweverItIsWritten(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank))
	pushed := w.pushed(bank)
	for _, login := range []string{"", "l", strings.ToUpper(at.login), at.login + "a", at.login[:26] + "b", "x" + at.login[1:], "l" + strings.Repeat("a", 26), pushed, "l\x00"} {
		if login == at.login {
			continue
		}
		_, err := w.provider.Question(ctx, login, oidc.WayApp)
		wants(t, err, "login-unknown")
		_, err = w.provider.View(ctx, login, at.cookie)
		wants(t, err, "login-unknown")
		if !sleepless(w.provider.Wait(ctx, login)) {
			t.Errorf("%q is waited for", login)
		}
	}
	_, err := w.provider.Question(ctx, at.login, "by pigeon")
	wants(t, err, "login-answer-malformed")
	delete(w.clients, bank)
	_, err = w.provider.View(ctx, at.login, at.cookie)
	wants(t, err, "login-unknown")
}

// Several servers on one database are one provider, and a restart is another server.
func TestAnotherServerGoesOnWhereTheFirstBegan(t *testing.T) {
	w := newTown(t, housetest.Options{})
	at := w.begin(w.ask(bank))
	first := w.provider
	waits := first.Wait(ctx, at.login)
	w.open()
	back := w.approve(at.login) // at the second
	if !sleepless(waits) {
		t.Error("the first server does not see it")
	}
	redirect, err := first.Finish(ctx, at.login, at.cookie, back)
	must(t, err)
	u, _ := url.Parse(redirect)
	tokens := w.exchange(bank, u.Query().Get("code")).tokens()
	w.provider = first
	w.refresh(bank, tokens.refresh).tokens()
	later, stop := context.WithCancel(ctx)
	next := w.begin(w.ask(bank))
	given := first.Wait(later, next.login)
	stop()
	if !sleepless(given) {
		t.Error("who has gone is waited on")
	}
}
