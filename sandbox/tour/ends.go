package tour

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
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
func (w *walker) newPhone(ctx context.Context) (said, error) {
	old := w.App
	w.App = w.Second
	if err := w.register(ctx); err != nil {
		return nil, err
	}
	if err := w.stand(ctx, old, "the old phone", warifu.CredentialSuperseded, warifu.CredentialSuperseded); err != nil {
		return nil, err
	}
	if err := w.judged(ctx, "signed with the old phone", verify.Bad); err != nil {
		return nil, err
	}
	if err := wiped(ctx, old, 2); err != nil {
		return nil, err
	}
	if err := w.signAgain(ctx); err != nil {
		return nil, err
	}
	return said{}, w.judged(ctx, "signed with the new phone", verify.Good)
}

// moveHouse: the signing certificate ends alone.
func (w *walker) moveHouse(ctx context.Context) (said, error) {
	if err := w.happen(ctx, desk.EventMove); err != nil {
		return nil, err
	}
	if err := w.stand(ctx, w.App, "moved", warifu.CredentialRevoked, warifu.CredentialActive); err != nil {
		return nil, err
	}
	if err := w.judged(ctx, "signed before the move", verify.Bad); err != nil {
		return nil, err
	}
	if err := wiped(ctx, w.App, 1); err != nil {
		return nil, err
	}
	return said{}, w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}

// revokeOnPhone is R75: choose, type, done; the chip signs that the key is gone.
func (w *walker) revokeOnPhone(ctx context.Context) (said, error) {
	secret := phone.Secret{Kind: warifu.Authentication, Typed: "9999"}
	_, err := w.App.Revoke(ctx, warifu.Kinds[1:], secret)
	if err := expect("a wrong PIN", "secret-wrong", err); err != nil {
		return nil, err
	}
	secret.Typed = secrets.Authentication
	if _, err := w.App.Revoke(ctx, warifu.Kinds[1:], secret); err != nil {
		return nil, err
	}
	if err := onChip(ctx, w.App, 0); err != nil {
		return nil, err
	}
	tickets, err := w.App.Server.Tickets(ctx, w.App.Device.Element)
	if err != nil {
		return nil, err
	}
	if len(tickets) > 0 {
		return nil, fmt.Errorf("%d tickets are left: the receipt did not arrive", len(tickets))
	}
	return said{}, nil
}

// applyAgain is R57 and R34: at the counter the card gets what the move took; the holder
// wants only one of the two this time.
func (w *walker) applyAgain(ctx context.Context) (said, error) {
	if err := w.happen(ctx, desk.EventRenew); err != nil {
		return nil, err
	}
	if err := w.register(ctx, warifu.Authentication); err != nil {
		return nil, err
	}
	if err := onChip(ctx, w.App, 1); err != nil {
		return nil, err
	}
	if _, err := w.App.Sign(ctx, w.document, true, phone.Unlock{Typed: secrets.Signature}); err == nil {
		return nil, errors.New("a phone without a signing certificate signed")
	}
	return said{}, w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}

// addOtherKind is R34: the kind left out comes by a new application, which replaces both.
func (w *walker) addOtherKind(ctx context.Context) (said, error) {
	before := w.certificates[warifu.Authentication]
	if err := w.register(ctx); err != nil {
		return nil, err
	}
	if err := w.told(ctx, before, warifu.Authentication, warifu.StatusRevoked, warifu.ReasonSuperseded); err != nil {
		return nil, err
	}
	if err := w.stand(ctx, w.App, "both kinds", warifu.CredentialActive, warifu.CredentialActive); err != nil {
		return nil, err
	}
	if err := w.login(ctx, phone.Unlock{Typed: secrets.Authentication}); err != nil {
		return nil, err
	}
	if err := w.signAgain(ctx); err != nil {
		return nil, err
	}
	return said{}, w.judged(ctx, "signed after adding the other kind", verify.Good)
}

// resetLeavesChip is R74 and K18: a reset wipes nothing in the chip, a ticket does.
func (w *walker) resetLeavesChip(ctx context.Context) (said, error) {
	if err := w.Reset(); err != nil {
		return nil, err
	}
	kinds, err := w.App.Check(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range kinds {
		if !v.OnChip || !v.Live {
			return nil, fmt.Errorf("after a reset the %s certificate is gone from chip or server", v.Kind)
		}
	}
	if err := wiped(ctx, w.App, 0); err != nil {
		return nil, err
	}
	answer, _, err := w.clean(ctx, "shop")
	if err != nil {
		return nil, err
	}
	if answer.Answer != "not-clean" {
		return nil, fmt.Errorf("a phone full of keys is %s", answer.Answer)
	}
	if _, err := w.withCard(ctx, warifu.VerbRevoke, ""); err != nil {
		return nil, err
	}
	if err := wiped(ctx, w.App, 2); err != nil {
		return nil, err
	}
	return said{}, nil
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
func (w *walker) proveClean(ctx context.Context) (said, error) {
	if err := w.clockTo(ctx, w.App.Clock.Now().Add(time.Minute)); err != nil { // a proof of the second of a registration says nothing
		return nil, err
	}
	answer, proof, err := w.clean(ctx, "shop")
	if err != nil {
		return nil, err
	}
	if answer.Answer != "clean" {
		return nil, fmt.Errorf("the wiped phone is %s: %v", answer.Answer, answer.Reasons)
	}
	other := phone.CleanQuestion{Marketplace: "another shop", Nonce: bytes.Repeat([]byte{7}, 32), Identifiers: []string{"imei:" + w.SecondIMEI}}
	_, err = w.App.Server.Clean(ctx, proof, other)
	if err := expect("the proof at another marketplace", "clean-proof-other", err); err != nil {
		return nil, err
	}
	other.Identifiers, other.Time = []string{"imei:000000000000000"}, w.App.Clock.Now()
	_, err = w.App.CleanProof(ctx, other)
	if err := expect("another phone's number", "identifier-other", err); err != nil {
		return nil, err
	}
	return said{"counter": strconv.Itoa(answer.Counter)}, nil
}

// death: everything ends with its holder, and nothing begins.
func (w *walker) death(ctx context.Context) (said, error) {
	if err := w.happen(ctx, desk.EventDie); err != nil {
		return nil, err
	}
	if err := w.stand(ctx, w.App, "died", warifu.CredentialRevoked, warifu.CredentialRevoked); err != nil {
		return nil, err
	}
	for kind, certificate := range w.certificates {
		if err := w.told(ctx, certificate, kind, warifu.StatusRevoked, warifu.ReasonCessationOfOperation); err != nil {
			return nil, err
		}
		if err := w.listed(ctx, "", kind, certificate, warifu.ReasonCessationOfOperation); err != nil {
			return nil, err
		}
	}
	if err := refused("a login after death", w.login(ctx, phone.Unlock{Typed: secrets.Authentication})); err != nil {
		return nil, err
	}
	if err := wiped(ctx, w.App, 2); err != nil {
		return nil, err
	}
	return said{}, refused("an application after death", w.register(ctx))
}
