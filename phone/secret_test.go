package phone_test

import (
	"encoding/json"
	"testing"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
)

func save(t *testing.T, app *phone.App, s phone.State) {
	t.Helper()
	b, err := json.Marshal(s)
	must(t, err)
	must(t, app.Storage.Save(b))
}

// R28: the card's password is never the phone's, folded or not, new or set anew; what looks
// like another secret is said to before a try is spent (K7).
func TestTheCardsPasswordIsNotThePhones(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	cards := string(h.PINs(t, "taro").Signature.Reveal())
	d, err := p.App.Begin(phone.Choice{Kinds: warifu.Kinds[:], Consent: h.Scheme.Consent, CardPassword: cards})
	must(t, err)
	wantProblem(t, "the card's for the phone's", "secret-is-cards", p.App.CheckOwn(d, phone.Secrets{Signature: cards, Authentication: "2468"}))
	must(t, p.App.Prepare(ctx, d))
	card := h.Card(t, "taro")
	defer card.PowerOff()
	must(t, p.App.SignWithCard(ctx, d, card))
	wantProblem(t, "the card's for the phone's, set", "secret-is-cards", p.App.SetSecrets(ctx, d, phone.Secrets{Signature: cards, Authentication: "2468"}))
	must(t, p.App.Abandon(ctx))

	p.Own(t, "taro")
	again := phone.Reset{Kind: warifu.Signature, Card: untouched(t), CardPassword: cards, Next: cards}
	wantProblem(t, "the card's for the phone's, set anew", "secret-is-cards", p.App.ResetSecret(ctx, again))
	for typed, hint := range map[string]string{"1234": "looks-like-pin", "12": "too-short", "ABC-123": "other-characters"} {
		_, err := p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Typed: typed})
		wantProblem(t, typed, "secret-format", err)
		if got := warifu.ProblemOf(err).Params["hint"]; got != hint {
			t.Errorf("%q: hint %s, want %s", typed, got, hint)
		}
	}
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Typed: cards})
	wantProblem(t, "a password for a PIN", "secret-format", err)
	if s, a := tries(t, p.App, warifu.Signature), tries(t, p.App, warifu.Authentication); s != 5 || a != 3 {
		t.Errorf("%d and %d tries are left", s, a)
	}
}

// R29, B.3: five and three, each kind by itself; both opened again with the card.
func TestTheKindsLockByThemselvesAndTheCardUnlocksThem(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	cards := string(h.PINs(t, "taro").Signature.Reveal())
	for range 4 {
		_, err := p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Typed: "WRONG000"})
		wantProblem(t, "a wrong password", "secret-wrong", err)
	}
	_, err := p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Typed: "WRONG000"})
	wantProblem(t, "the fifth", "secret-blocked", err)
	_, err = p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Typed: housetest.Secrets.Signature})
	wantProblem(t, "the right one, too late", "secret-blocked", err)
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Typed: housetest.Secrets.Authentication})
	must(t, err)
	for range 2 {
		_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Typed: "0000"})
		wantProblem(t, "a wrong PIN", "secret-wrong", err)
	}
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Typed: "0000"})
	wantProblem(t, "the third", "secret-blocked", err)
	wantProblem(t, "changing what is locked", "secret-blocked", p.App.ChangeSecret(ctx, warifu.Authentication, housetest.Secrets.Authentication, "1357"))
	_, err = p.App.Revoke(ctx, nil, phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
	wantProblem(t, "revoking with what is locked", "secret-blocked", err)
	card := h.Card(t, "taro")
	defer card.PowerOff()
	must(t, p.App.ResetSecret(ctx, phone.Reset{Kind: warifu.Signature, Card: card, CardPassword: cards, Next: "FRESH2026"}))
	if got := tries(t, p.App, warifu.Authentication); got != 0 {
		t.Errorf("unlocking one kind gave the other %d tries", got)
	}
	must(t, p.App.ResetSecret(ctx, phone.Reset{Kind: warifu.Authentication, Card: card, CardPassword: cards, Next: "1357"}))
	_, err = p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Typed: "fresh2026"})
	must(t, err)
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Typed: "1357"})
	must(t, err)
}
