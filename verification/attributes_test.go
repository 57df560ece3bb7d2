package verification_test

import (
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/phone"
	"warifu/scheme"
	"warifu/verify"
)

var nameAndAddress = []verify.Attribute{verify.Name, verify.Address}

func TestTheHolderDecidesOnThePhoneWhetherAttributesAreTold(t *testing.T) {
	w := newTown(t, housetest.Options{Alter: func(s *scheme.Scheme) { s.AttributeConsent = true }})
	q := w.question()
	q.Attributes = nameAndAddress
	a := w.check(t, q)
	if !a.Attributes.IsZero() || len(a.Warnings) == 0 || a.Warnings[len(a.Warnings)-1].Problem != "attributes-need-consent" {
		t.Fatalf("told without consent, or without a word: %v", a.Warnings)
	}
	wish, err := w.Desk.Wish(ctx, housetest.BankKey, a.ID, nameAndAddress, "to send the card")
	must(t, err)
	if got, err := w.Desk.Wished(ctx, housetest.BankKey, wish.ID); err != nil || got.State != "waiting" || !got.Told.IsZero() {
		t.Fatalf("%+v %v", got, err)
	}
	waiting, err := w.phone.App.Consents(ctx, pin)
	must(t, err)
	if len(waiting) != 1 || waiting[0].ID != wish.ID || waiting[0].Party != "bank" || waiting[0].Purpose != "to send the card" {
		t.Fatalf("%+v", waiting)
	}
	must(t, w.phone.App.Consent(ctx, wish.ID, true, pin))
	got, err := w.Desk.Wished(ctx, housetest.BankKey, wish.ID)
	must(t, err)
	if got.State != "granted" || got.Changed || got.Told.Name == "" || got.Told.Address == "" || got.Told.BirthDate != "" {
		t.Errorf("%s changed %v", got.State, got.Changed)
	}
	if again, err := w.Desk.Wished(ctx, housetest.BankKey, wish.ID); err != nil || !again.Told.IsZero() {
		t.Error("what has not changed is told again")
	}
	lines := w.ledger(t)
	if last := lines[len(lines)-1]; last.What != ledger.Told || last.Result != "name,address" {
		t.Errorf("%+v", last)
	}
}

func TestWhatWasRefusedOrHasExpiredIsNotTold(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	no, err := w.Desk.Wish(ctx, housetest.BankKey, a.ID, nameAndAddress, "to send letters")
	must(t, err)
	must(t, w.phone.App.Consent(ctx, no.ID, false, pin))
	problem(t, w.phone.App.Consent(ctx, no.ID, true, pin), "attribute-request-decided")
	late, err := w.Desk.Wish(ctx, housetest.BankKey, a.ID, nameAndAddress, "to send letters")
	must(t, err)
	must(t, w.phone.App.Consent(ctx, late.ID, true, pin))
	w.Clock.Forward(8 * 24 * time.Hour)
	for id, state := range map[string]string{no.ID: "refused", late.ID: "expired"} {
		if got, err := w.Desk.Wished(ctx, housetest.BankKey, id); err != nil || got.State != state || !got.Told.IsZero() {
			t.Errorf("%s, want %s (%v)", got.State, state, err)
		}
	}
	_, err = w.Desk.Wished(ctx, housetest.ShopKey, no.ID)
	problem(t, err, "attribute-request-unknown")
	_, err = w.Desk.Wish(ctx, housetest.ShopKey, a.ID, nameAndAddress, "x")
	problem(t, err, "attributes-not-yours")
}

func TestAnotherPhoneDecidesNothingAndOneOnHoldGrantsNothing(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	wish, err := w.Desk.Wish(ctx, housetest.BankKey, a.ID, nameAndAddress, "x")
	must(t, err)
	other := w.PhoneOf(t, housetest.OtherModel)
	other.Own(t, "hanako")
	problem(t, other.App.Consent(ctx, wish.ID, true, pin), "attribute-request-unknown")
	if seen, err := other.App.Consents(ctx, pin); err != nil || len(seen) != 0 {
		t.Errorf("%v %v", seen, err)
	}
	w.suspend(t)
	problem(t, w.phone.App.Consent(ctx, wish.ID, true, pin), "credential-held")
	wrong := phone.Secret{Kind: warifu.Authentication, Typed: "1357"}
	if err := w.phone.App.Consent(ctx, wish.ID, true, wrong); err == nil {
		t.Error("a wrong PIN grants")
	}
}

// Whose phone is gone, or holds nothing any more, decides with the card on any device; another's
// card sees and decides nothing of it, a card that is held neither, and an order is good once.
func TestTheCardDecidesToo(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	ask := func(purpose string) string {
		wish, err := w.Desk.Wish(ctx, housetest.BankKey, a.ID, nameAndAddress, purpose)
		must(t, err)
		return wish.ID
	}
	first, second := ask("to send the card"), ask("to send letters")
	at := phone.Elsewhere{Server: w.Server, Scheme: w.Scheme, Clock: w.Clock}
	taro, hanako := w.Card(t, "taro"), w.Card(t, "hanako")
	defer taro.PowerOff()
	defer hanako.PowerOff()
	password := func(of string) string { return string(w.PINs(t, of).Signature.Reveal()) }
	problem(t, at.Consent(ctx, first, true, hanako, password("hanako")), "credential-absent")
	other := w.PhoneOf(t, housetest.OtherModel)
	other.Own(t, "hanako")
	problem(t, at.Consent(ctx, first, true, hanako, password("hanako")), "attribute-request-unknown")
	if seen, err := at.Consents(ctx, hanako, password("hanako")); err != nil || len(seen) != 0 {
		t.Errorf("%v %v", seen, err)
	}
	w.suspend(t) // the phone grants nothing any more
	seen, err := at.Consents(ctx, taro, password("taro"))
	must(t, err)
	if len(seen) != 2 || seen[0].ID != first || seen[0].Purpose != "to send the card" {
		t.Fatalf("%+v", seen)
	}
	if err := at.Consent(ctx, first, true, taro, "WRONG999"); err == nil {
		t.Error("a wrong password decides")
	}
	must(t, at.Consent(ctx, first, true, taro, password("taro")))
	must(t, at.Consent(ctx, second, false, taro, password("taro")))
	for id, state := range map[string]string{first: "granted", second: "refused"} {
		if got, err := w.Desk.Wished(ctx, housetest.BankKey, id); err != nil || got.State != state || (state == "granted") == got.Told.IsZero() {
			t.Errorf("%s, want %s: %v %v", got.State, state, got.Told.IsZero(), err)
		}
	}
	problem(t, at.Consent(ctx, second, true, taro, password("taro")), "attribute-request-decided")
	third := ask("to send more")
	must(t, w.Bureau.Suspend("taro"))
	if err := at.Consent(ctx, third, true, taro, password("taro")); err == nil {
		t.Error("a card on hold decides")
	}
}
