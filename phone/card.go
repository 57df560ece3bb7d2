package phone

import (
	"context"
	"crypto/x509"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/iso7816"
	"warifu/jpki"
)

// SignWithCard is the tap (R32 ⑦): the card checks its signing password and signs
// the application document. The tries left are read before one is spent and kept in
// d.CardTries. Errors: "card-removed", "card-unknown" (no JPKI application),
// "parent-is-phone", "card-signature-absent" (a card without signing certificate,
// such as a child's), "card-pin-blocked", "card-pin-wrong" with "left".
func (a *App) SignWithCard(ctx context.Context, d *Draft, card iso7816.Transmitter) error {
	if err := a.fresh(d); err != nil {
		return err
	}
	token, err := openCard(ctx, card)
	if err != nil {
		return err
	}
	if err := a.spend(ctx, d, token); err != nil {
		return err
	}
	certificate, err := certificateOf(ctx, token, warifu.Signature)
	if err != nil {
		return cardError(err)
	}
	if now := a.Clock.Now(); now.After(certificate.NotAfter) {
		return warifu.Refused("card-certificate-expired", "notAfter", certificate.NotAfter.Format(time.DateOnly))
	}
	if slices.Contains(d.Kinds, warifu.Authentication) {
		if d.cardAuth, err = token.Certificate(ctx, warifu.Authentication); err != nil {
			return cardError(err)
		}
	}
	paper, err := a.paper(d)
	if err != nil {
		return err
	}
	prepared, err := cms.Prepare(attest.OIDApplicationDocument, paper, certificate, nil, a.Clock.Now(), false)
	if err != nil {
		return err
	}
	signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(prepared.Digest()))
	if err != nil {
		return cardError(err)
	}
	signed, err := prepared.Finish(signature)
	if err != nil {
		return err
	}
	d.document, d.Identity = signed, warifu.DigestOf(paper)
	return nil
}

// openCard selects the card's JPKI application and refuses another phone: a
// phone's credential never authorises a phone (design §3.1).
func openCard(ctx context.Context, card iso7816.Transmitter) (*jpki.Token, error) {
	token, err := jpki.Select(ctx, card)
	if err != nil {
		return nil, cardError(err)
	}
	if token.IsPhone() {
		return nil, warifu.Refused("parent-is-phone")
	}
	return token, nil
}

// present refuses a card whose EF 0008 says that it has no signing certificate
// (docs/card-facts.md §1.4), such as a child's: its password would look blocked.
func present(ctx context.Context, card iso7816.Transmitter) error {
	ef := jpki.FilePresence
	_, err := iso7816.Send(ctx, card, iso7816.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(ef >> 8), byte(ef)}})
	if err != nil {
		return nil // a card without the file says nothing
	}
	kinds, err := iso7816.Send(ctx, card, iso7816.Command{INS: 0xB0, Ne: 3})
	if err == nil && len(kinds) == 3 && kinds[0] != presentMark {
		return warifu.Refused("card-signature-absent")
	}
	return nil
}

// presentMark is what EF 0008 says of a certificate that is there.
const presentMark = 0x8F

// spend verifies the card's signing password, after telling the tries left.
func (a *App) spend(ctx context.Context, d *Draft, token *jpki.Token) error {
	if err := present(ctx, token.Transmitter()); err != nil {
		return err
	}
	left, err := token.TriesLeft(ctx, warifu.Signature)
	if err != nil {
		return cardError(err)
	}
	d.CardTries = left
	if left == 0 {
		return warifu.Refused("card-pin-blocked", "kind", warifu.Signature.String())
	}
	return cardError(token.VerifyCard(ctx, warifu.Signature, d.cardPassword))
}

// certificateOf reads and parses a chip's certificate of the kind.
func certificateOf(ctx context.Context, token *jpki.Token, kind warifu.Kind) (*x509.Certificate, error) {
	der, err := token.Certificate(ctx, kind)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// cardError names what a card's refusal means to the person who holds it.
func cardError(err error) error {
	switch {
	case err == nil:
		return nil
	case isProblem(err, "chip-removed"):
		return warifu.Refused("card-removed").With(err)
	case isProblem(err, "jpki-absent"):
		return warifu.Refused("card-unknown").With(err)
	case isProblem(err, "certificate-absent", "key-absent"):
		return warifu.Refused("card-signature-absent").With(err)
	}
	return err
}

// isProblem reports whether err is one of the problems.
func isProblem(err error, slugs ...string) bool {
	return err != nil && slices.Contains(slugs, warifu.ProblemOf(err).Problem)
}

// proveCard answers the server's question with the card's authentication key (R45).
func (a *App) proveCard(ctx context.Context, card iso7816.Transmitter, typed string, question attest.Presence) (*CardProof, error) {
	pin, err := a.Scheme.CardPIN(warifu.Authentication, typed)
	if err != nil {
		return nil, err
	}
	token, err := openCard(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := token.VerifyCard(ctx, warifu.Authentication, pin); err != nil {
		return nil, cardError(err)
	}
	certificate, err := token.Certificate(ctx, warifu.Authentication)
	if err != nil {
		return nil, cardError(err)
	}
	signature, err := token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(question.Digest()))
	if err != nil {
		return nil, cardError(err)
	}
	return &CardProof{Certificate: certificate, Challenge: question.Nonce, Signature: signature}, nil
}
