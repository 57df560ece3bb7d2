package phone

import (
	"context"
	"crypto/sha256"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
)

// Reset is what a person brings to set a locked or forgotten password of the phone
// anew (パスワードの初期化, K14): the parent card, its signing password, and the new
// password of the phone.
type Reset struct {
	Kind         warifu.Kind // which of the phone's two
	Card         iso7816.Transmitter
	CardPassword string // the *card's* signing password
	Next         string // the *phone's* new password
}

// ResetSecret sets one of the phone's passwords anew. The parent card signs the
// chip's own challenge and the chip checks that with the key pinned when it was
// personalized; the new password never leaves the phone. Errors: "reset-proof-invalid"
// for another card, "secret-is-cards" for the card's own password, and those of a tap.
// The screen lock is turned off for the kind.
func (a *App) ResetSecret(ctx context.Context, r Reset) error {
	password, err := a.Scheme.CardPIN(warifu.Signature, r.CardPassword)
	if err != nil {
		return err
	}
	next, err := a.Scheme.ActivationSecret(r.Kind, r.Next)
	if err != nil {
		return err
	}
	if err := notTheCards(password, next); err != nil {
		return err
	}
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return phoneError(err)
	}
	challenge, err := element.ResetChallenge(ctx)
	if err != nil {
		return phoneError(err)
	}
	digest := sha256.Sum256(jpki.ResetMessage(a.Device.Element, r.Kind, challenge))
	signature, err := a.signByParent(ctx, r.Card, password, digest)
	if err != nil {
		return err
	}
	if err := a.DisableScreenLock(r.Kind); err != nil { // before, as in ChangeSecret
		return err
	}
	return phoneError(element.ResetSecret(ctx, r.Kind, signature, next))
}

// signByParent has the card's signature key sign a digest.
func (a *App) signByParent(ctx context.Context, card iso7816.Transmitter, password warifu.CardPIN, digest [32]byte) ([]byte, error) {
	token, err := openParent(ctx, card, password)
	if err != nil {
		return nil, err
	}
	signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(digest))
	return signature, cardError(err)
}

// openParent opens the card's signature key with the card's signing password.
func openParent(ctx context.Context, card iso7816.Transmitter, password warifu.CardPIN) (*jpki.Token, error) {
	token, err := openCard(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := present(ctx, card); err != nil {
		return nil, err
	}
	return token, cardError(token.VerifyCard(ctx, warifu.Signature, password))
}

// TryParent reads the card and tries its signing password, before its holder thinks of a new
// password for the phone: nothing is set anew by it. Whether it is the parent card is the chip's
// to say (ResetSecret). Errors: those of a tap.
func (a *App) TryParent(ctx context.Context, card iso7816.Transmitter, typed string) error {
	password, err := a.Scheme.CardPIN(warifu.Signature, typed)
	if err != nil {
		return err
	}
	_, err = openParent(ctx, card, password)
	return err
}
