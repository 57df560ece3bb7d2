package reader

import (
	"context"
	"crypto/x509"
	"errors"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/profile"
	"warifu/scheme"
)

// Touch is what a person brings to a terminal, and what the terminal has them answer.
type Touch struct {
	Class    profile.Class // what they said they would touch: a card or a phone
	PIN      string        // of that card or that phone, four digits, as typed
	LastTry  bool          // they were told that one try is left, and go on
	Question attest.Presence
	Scheme   *scheme.Scheme // of whose form the secrets are
}

// Proof is the answer: what a relying party verifies.
type Proof struct {
	Class       profile.Class
	Certificate *x509.Certificate
	Signature   []byte
}

// Prove has the chip that is touched next answer the question with its authentication key,
// over one tap. The PIN is looked at before the tap (K7), the chip before the PIN is sent:
// a phone where a card was announced, and the reverse, is refused with nothing sent. Where
// one try is left the person is told first ("reader-last-try-card", "reader-last-try-phone").
// Errors: those of Source.Tap, Bounded and package jpki; "card-pin-format", "secret-format";
// Refused "reader-token-unknown", "reader-resident-card", "reader-iphone";
// "reader-signature-wrong" for a chip whose answer does not fit its certificate.
func Prove(ctx context.Context, source Source, t Touch) (Proof, error) {
	secret, err := t.secret()
	if err != nil {
		return Proof{}, err
	}
	chip, err := source.Tap(ctx)
	if err != nil {
		return Proof{}, err
	}
	defer func() { _ = chip.Close() }() // a chip that was torn away has no power to be taken
	token, err := jpki.Select(ctx, chip)
	if err != nil {
		return Proof{}, err
	}
	if err := t.right(token); err != nil {
		return Proof{}, err
	}
	if err := t.warn(ctx, token); err != nil {
		return Proof{}, err
	}
	if err := secret(ctx, token); err != nil {
		return Proof{}, err
	}
	return t.answer(ctx, token)
}

// secret checks the form of what was typed and returns how it is given to a chip.
func (t Touch) secret() (func(context.Context, *jpki.Token) error, error) {
	if t.Class == profile.ClassPhone {
		secret, err := t.Scheme.ActivationSecret(warifu.Authentication, t.PIN)
		return func(ctx context.Context, k *jpki.Token) error {
			return k.VerifyPhone(ctx, warifu.Authentication, secret)
		}, err
	}
	pin, err := t.Scheme.CardPIN(warifu.Authentication, t.PIN)
	return func(ctx context.Context, k *jpki.Token) error { return k.VerifyCard(ctx, warifu.Authentication, pin) }, err
}

// right refuses a chip that is not what was announced, or that no terminal takes.
func (t Touch) right(token *jpki.Token) error {
	switch token.Label() {
	case jpki.LabelCard, jpki.LabelPhone, jpki.LabelBadge:
	case jpki.LabelResident:
		return warifu.Refused("reader-resident-card")
	case jpki.LabelIPhone:
		return warifu.Refused("reader-iphone") // K4
	default:
		return warifu.Refused("reader-token-unknown")
	}
	switch {
	case t.Class == profile.ClassPhone && !token.IsPhone():
		return warifu.Refused("not-a-phone")
	case t.Class != profile.ClassPhone && token.IsPhone():
		return warifu.Refused("not-a-card")
	}
	return nil
}

// warn tells of the last try before it is spent.
func (t Touch) warn(ctx context.Context, token *jpki.Token) error {
	left, err := token.TriesLeft(ctx, warifu.Authentication)
	kind := warifu.Authentication.String()
	switch {
	case errors.Is(err, iso7816.SWFileNotFound), errors.Is(err, iso7816.SWReferenceNotFound), errors.Is(err, iso7816.SWConditions):
		return nothing(token, err)
	case err != nil:
		return err
	case left == 0 && token.IsPhone():
		return warifu.Refused("secret-blocked", "kind", kind)
	case left == 0:
		return warifu.Refused("card-pin-blocked", "kind", kind)
	case left > 1 || t.LastTry:
		return nil
	case token.IsPhone():
		return warifu.Refused("reader-last-try-phone")
	}
	return warifu.Refused("reader-last-try-card")
}

// nothing says that no certificate was ever put on the card or phone.
func nothing(token *jpki.Token, err error) error {
	if token.IsPhone() {
		return warifu.Conflict("credential-none").With(err)
	}
	return warifu.NotFound("certificate-absent", "kind", warifu.Authentication.String()).With(err)
}

func (t Touch) answer(ctx context.Context, token *jpki.Token) (Proof, error) {
	der, err := token.Certificate(ctx, warifu.Authentication)
	if err != nil {
		return Proof{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return Proof{}, warifu.Unavailable("reader-answer-malformed").With(err)
	}
	digest := t.Question.Digest()
	signature, err := token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(digest))
	if err != nil {
		return Proof{}, err
	}
	if err := cms.CheckSignature(certificate.PublicKey, digest, signature); err != nil {
		return Proof{}, warifu.Refused("reader-signature-wrong").With(err)
	}
	return Proof{t.Class, certificate, signature}, nil
}
