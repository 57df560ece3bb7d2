package tour

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/verify"
)

// onChip wants the chip to carry so many personalized keys.
func onChip(ctx context.Context, app *phone.App, want int) error {
	kinds, err := app.Check(ctx)
	if err != nil {
		return err
	}
	n := 0
	for _, v := range kinds {
		if v.OnChip {
			n++
		}
	}
	if n != want {
		return fmt.Errorf("the chip carries %d keys, want %d", n, want)
	}
	return nil
}

// wiped wants the chip to destroy so many keys when it asks for its tickets.
func wiped(ctx context.Context, app *phone.App, want int) error {
	killed, err := app.Wipe(ctx)
	if err == nil && killed != want {
		err = fmt.Errorf("the chip destroyed %d keys, want %d", killed, want)
	}
	return err
}

// newPhone: the old one works until the new one is registered, and not after.
func (w *walker) newPhone(ctx context.Context) (string, error) {
	old := w.App
	w.App = w.Second
	if err := w.register(ctx); err != nil {
		return "", err
	}
	if err := w.stand(ctx, old, "the old phone", warifu.CredentialSuperseded, warifu.CredentialSuperseded); err != nil {
		return "", err
	}
	if err := w.judged(ctx, "signed with the old phone", verify.Bad); err != nil {
		return "", err
	}
	if err := wiped(ctx, old, 2); err != nil {
		return "", err
	}
	if err := w.signAgain(ctx); err != nil {
		return "", err
	}
	return "the new phone superseded the old; the old chip destroyed both keys at first contact and signed receipts", w.judged(ctx, "signed with the new phone", verify.Good)
}

// moveHouse: the signing certificate ends alone.
func (w *walker) moveHouse(ctx context.Context) (string, error) {
	if err := w.happen(ctx, desk.EventMove); err != nil {
		return "", err
	}
	if err := w.stand(ctx, w.App, "moved", warifu.CredentialRevoked, warifu.CredentialActive); err != nil {
		return "", err
	}
	if err := w.judged(ctx, "signed before the move", verify.Bad); err != nil {
		return "", err
	}
	if err := wiped(ctx, w.App, 1); err != nil {
		return "", err
	}
	return "the signing certificate was revoked and its key destroyed; the authentication certificate logs in as before",
		w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}

// revokeOnPhone is R75: choose, type, done; the chip signs that the key is gone.
func (w *walker) revokeOnPhone(ctx context.Context) (string, error) {
	secret := phone.Secret{Kind: warifu.Authentication, Typed: "9999"}
	_, err := w.App.Revoke(ctx, warifu.Kinds[1:], secret)
	if err := expect("a wrong PIN", "secret-wrong", err); err != nil {
		return "", err
	}
	secret.Typed = secrets.Authentication
	if _, err := w.App.Revoke(ctx, warifu.Kinds[1:], secret); err != nil {
		return "", err
	}
	if err := onChip(ctx, w.App, 0); err != nil {
		return "", err
	}
	tickets, err := w.App.Server.Tickets(ctx, w.App.Device.Element)
	if err != nil {
		return "", err
	}
	if len(tickets) > 0 {
		return "", fmt.Errorf("%d tickets are left: the receipt did not arrive", len(tickets))
	}
	return "revoked with the PIN; the chip destroyed the key and its receipt settled the ticket", nil
}

// applyAgain is R57: at the counter the card gets what the move took, then once more.
func (w *walker) applyAgain(ctx context.Context) (string, error) {
	if err := w.happen(ctx, desk.EventRenew); err != nil {
		return "", err
	}
	if err := w.register(ctx); err != nil {
		return "", err
	}
	if err := w.signAgain(ctx); err != nil {
		return "", err
	}
	return "the card was renewed at the counter; applied and registered again on the same phone", w.judged(ctx, "signed after applying again", verify.Good)
}

// resetLeavesChip is R74 and K18: a reset wipes nothing in the chip, a ticket does.
func (w *walker) resetLeavesChip(ctx context.Context) (string, error) {
	if err := w.Reset(); err != nil {
		return "", err
	}
	kinds, err := w.App.Check(ctx)
	if err != nil {
		return "", err
	}
	for _, v := range kinds {
		if !v.OnChip || !v.Live {
			return "", fmt.Errorf("after a reset the %s certificate is gone from chip or server", v.Kind)
		}
	}
	if err := wiped(ctx, w.App, 0); err != nil {
		return "", err
	}
	answer, _, err := w.clean(ctx, "shop")
	if err != nil {
		return "", err
	}
	if answer.Answer != "not-clean" {
		return "", fmt.Errorf("a phone full of keys is %s", answer.Answer)
	}
	if _, err := w.withCard(ctx, warifu.VerbRevoke, ""); err != nil {
		return "", err
	}
	if err := wiped(ctx, w.App, 2); err != nil {
		return "", err
	}
	return "after a factory reset both were there and live, and not clean; revoked with the card at a PC; two tickets destroyed the keys without a password", nil
}

// clean asks the phone at hand as a marketplace does.
func (w *walker) clean(ctx context.Context, who string) (phone.CleanAnswer, phone.CleanProof, error) {
	q := phone.CleanQuestion{Marketplace: who, Nonce: bytes.Repeat([]byte{7}, 32), Identifiers: []string{"imei:" + w.SecondIMEI}, Time: w.App.Clock.Now()}
	proof, err := w.App.CleanProof(ctx, q)
	if err != nil {
		return phone.CleanAnswer{}, proof, err
	}
	answer, err := w.App.Server.Clean(ctx, proof, q)
	return answer, proof, err
}

// proveClean: clean for who asked, worth nothing to another, and never another phone's.
func (w *walker) proveClean(ctx context.Context) (string, error) {
	if err := w.clockTo(ctx, w.App.Clock.Now().Add(time.Minute)); err != nil { // a proof of the second of a registration says nothing
		return "", err
	}
	answer, proof, err := w.clean(ctx, "shop")
	if err != nil {
		return "", err
	}
	if answer.Answer != "clean" {
		return "", fmt.Errorf("the wiped phone is %s: %v", answer.Answer, answer.Reasons)
	}
	other := phone.CleanQuestion{Marketplace: "another shop", Nonce: bytes.Repeat([]byte{7}, 32), Identifiers: []string{"imei:" + w.SecondIMEI}}
	_, err = w.App.Server.Clean(ctx, proof, other)
	if err := expect("the proof at another marketplace", "clean-proof-other", err); err != nil {
		return "", err
	}
	other.Identifiers, other.Time = []string{"imei:000000000000000"}, w.App.Clock.Now()
	_, err = w.App.CleanProof(ctx, other)
	if err := expect("another phone's number", "identifier-other", err); err != nil {
		return "", err
	}
	return fmt.Sprintf("clean, after %d personalizations; refused at another marketplace; the chip signs nothing under another phone's number", answer.Counter), nil
}

// death: everything ends with its holder, and nothing begins.
func (w *walker) death(ctx context.Context) (string, error) {
	if err := w.register(ctx); err != nil {
		return "", err
	}
	if err := w.happen(ctx, desk.EventDie); err != nil {
		return "", err
	}
	if err := w.stand(ctx, w.App, "died", warifu.CredentialRevoked, warifu.CredentialRevoked); err != nil {
		return "", err
	}
	if err := refused("a login after death", w.login(ctx, phone.Unlock{Typed: secrets.Authentication})); err != nil {
		return "", err
	}
	if err := wiped(ctx, w.App, 2); err != nil {
		return "", err
	}
	return "registered once more; the register's word ended both; the chip destroyed both keys; applying is refused", refused("an application after death", w.register(ctx))
}
