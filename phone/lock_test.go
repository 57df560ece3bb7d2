package phone_test

import (
	"testing"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/scheme"
)

const page = "https://bank.example"

var thumb = phone.Gesture{Method: phone.MethodFingerprint, Shown: "thumb"}

// asked is a question of the house's now.
func asked(h *housetest.House) phone.Question {
	q := question()
	q.Time = h.Clock.Now()
	return q
}

func tries(t *testing.T, app *phone.App, kind warifu.Kind) int {
	t.Helper()
	left, err := app.TriesLeft(ctx, kind)
	must(t, err)
	return left
}

// R46–R52: with the screen lock on, neither card nor password is needed to log in; every
// enrolled strong method opens it; what is off, or lost, falls back to the PIN.
func TestTheScreenLockLogsInAndFallsBackToThePIN(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	wantProblem(t, "a wrong PIN", "secret-wrong", p.App.EnableScreenLock(ctx, "0000", thumb))
	must(t, p.App.EnableScreenLock(ctx, housetest.Secrets.Authentication, thumb))
	for _, g := range []phone.Gesture{thumb, {Method: phone.MethodDevicePIN, Shown: "2580"}} {
		_, err := p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &g})
		must(t, err)
	}
	must(t, p.ScreenLock().Enrol(phone.Gesture{Method: phone.MethodFingerprint, Shown: "thief"}))
	for _, want := range []string{"screen-lock-key-lost", "screen-lock-off"} {
		_, err := p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
		wantProblem(t, "after a new finger", want, err)
	}
	_, err := p.App.Login(ctx, asked(h), page, phone.Unlock{Typed: housetest.Secrets.Authentication})
	must(t, err)
}

// K3: signing by the screen lock is the scheme's to allow, and off in every scheme that is
// shipped.
func TestTheScreenLockSignsOnlyWhereTheSchemeSaysSo(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		h := housetest.New(t, housetest.Options{Alter: func(s *scheme.Scheme) { s.ScreenLockSigning = allowed }})
		p := h.Phone(t)
		p.Own(t, "taro")
		must(t, p.App.EnableScreenLock(ctx, housetest.Secrets.Authentication, thumb))
		err := p.App.EnableScreenLockFor(ctx, warifu.Signature, housetest.Secrets.Signature, thumb)
		if !allowed {
			wantProblem(t, "setting it up", "screen-lock-not-for-signing", err)
			_, err = p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Gesture: &thumb})
			wantProblem(t, "signing", "screen-lock-not-for-signing", err)
			continue
		}
		must(t, err)
		_, err = p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Gesture: &thumb})
		must(t, err)
		face := phone.Gesture{Method: phone.MethodSimpleFace, Shown: "owner"}
		_, err = p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Gesture: &face})
		wantProblem(t, "signing by the front camera", "screen-lock-weak", err)
		must(t, p.App.DisableScreenLock(warifu.Signature))
		_, err = p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Gesture: &thumb})
		wantProblem(t, "signing after it was turned off", "screen-lock-off", err)
		_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
		must(t, err)
	}
}

// A changed or reset secret, and a new key, are not opened by what was wrapped for the old
// ones, and no try is spent on finding out.
func TestTheScreenLockIsForOneSecretOfOneKey(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	must(t, p.App.EnableScreenLock(ctx, housetest.Secrets.Authentication, thumb))
	must(t, p.App.ChangeSecret(ctx, warifu.Signature, housetest.Secrets.Signature, "OTHER2026"))
	_, err := p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
	must(t, err) // the other kind's secret is another
	must(t, p.App.ChangeSecret(ctx, warifu.Authentication, housetest.Secrets.Authentication, "1357"))
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
	wantProblem(t, "after a change of the PIN", "screen-lock-off", err)

	must(t, p.App.EnableScreenLock(ctx, "1357", thumb))
	state, err := p.App.State()
	must(t, err)
	p.Own(t, "taro")
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
	wantProblem(t, "after a new registration", "screen-lock-off", err)
	kept, err := p.App.State()
	must(t, err)
	kept.ScreenLock = state.ScreenLock // as if the app had been torn away before it could forget
	save(t, p.App, kept)
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
	wantProblem(t, "with what was wrapped for another key", "screen-lock-key-lost", err)
	if left := tries(t, p.App, warifu.Authentication); left != 3 {
		t.Errorf("%d tries are left: the screen lock spent some", left)
	}
	must(t, p.App.EnableScreenLock(ctx, housetest.Secrets.Authentication, thumb))
	card := h.Card(t, "taro")
	defer card.PowerOff()
	must(t, p.App.ResetSecret(ctx, phone.Reset{Kind: warifu.Authentication, Card: card, CardPassword: string(h.PINs(t, "taro").Signature.Reveal()), Next: "8642"}))
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
	wantProblem(t, "after the PIN was set anew with the card", "screen-lock-off", err)
}
