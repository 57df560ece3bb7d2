package phone

import (
	"context"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
)

// CardAgreement is what a person decided and typed who answers with the card at a reader.
type CardAgreement struct {
	Attributes []string // left ticked
	Number     string   // picked, where the question has Numbers
	Card       iso7816.Transmitter
	PIN        string // the *card's* four-digit PIN, as typed
	// Password is the *card's* signing password, as typed: where a document is signed, and where
	// an attribute is agreed to, since the attributes stand in the certificate that it opens.
	// Empty where neither is.
	Password string
}

// Asked is App.Asked for who has a card: "approve-phone-demanded" where the relying party does
// not take one.
func (e Elsewhere) Asked(ctx context.Context, link string) (LoginQuestion, error) {
	q, err := LoginAsked(ctx, e.Server, link, e.Clock.Now())
	if err != nil {
		return LoginQuestion{}, err
	}
	return q, q.takes(ClassCard)
}

// Approve answers the question with the card's authentication key (K17): whatever a phone's
// credential opens, the card opens too, and signs where a document is to be signed. A card has no
// word of its own as a phone's chip has: it takes both secrets to sign (ADR 0019). Both passwords are folded and their form is checked
// before the card is asked and a try is spent. Errors: as App.Approve; "card-pin-format"; those
// of a tap.
func (e Elsewhere) Approve(ctx context.Context, q LoginQuestion, g CardAgreement) (Approved, error) {
	if err := q.takes(ClassCard); err != nil {
		return Approved{}, err
	}
	agreed, err := q.agreed(g.Attributes, g.Number, e.Clock.Now())
	if err != nil {
		return Approved{}, err
	}
	var w Wanted
	if q.Sign != nil {
		if w, err = e.Wanted(ctx, q); err != nil {
			return Approved{}, err
		}
	}
	pin, err := e.Scheme.CardPIN(warifu.Authentication, g.PIN)
	if err != nil {
		return Approved{}, err
	}
	answer := LoginAnswer{Agreed: agreed, Number: g.Number, Activation: ActivationPIN}
	var password warifu.CardPIN
	opens := len(agreed) > 0 || q.Sign != nil
	if opens {
		if password, err = e.Scheme.CardPIN(warifu.Signature, g.Password); err != nil {
			return Approved{}, err
		}
	}
	token, err := openCard(ctx, g.Card)
	if err != nil {
		return Approved{}, err
	}
	if opens {
		certificate, err := attributesOn(ctx, token, password)
		if err != nil {
			return Approved{}, err
		}
		if len(agreed) > 0 {
			answer.AttributesFrom = certificate
		}
		if q.Sign != nil {
			if answer.Signed, err = e.signWanted(ctx, token, certificate, w); err != nil {
				return Approved{}, err
			}
		}
	}
	if err := token.VerifyCard(ctx, warifu.Authentication, pin); err != nil {
		return Approved{}, cardError(err)
	}
	if answer.Certificate, err = token.Certificate(ctx, warifu.Authentication); err != nil {
		return Approved{}, cardError(err)
	}
	if answer.Signature, err = token.Sign(ctx, warifu.Authentication, jpki.DigestInfoSHA256(q.presence(agreed).Digest())); err != nil {
		return Approved{}, cardError(err)
	}
	return e.Server.answerLogin(ctx, q, answer)
}

// attributesOn reads the certificate that carries the person's attributes, which takes the
// card's signing password.
func attributesOn(ctx context.Context, token *jpki.Token, password warifu.CardPIN) ([]byte, error) {
	if err := present(ctx, token.Transmitter()); err != nil {
		return nil, err
	}
	if err := token.VerifyCard(ctx, warifu.Signature, password); err != nil {
		return nil, cardError(err)
	}
	certificate, err := token.Certificate(ctx, warifu.Signature)
	return certificate, cardError(err)
}

// Decline is App.Decline.
func (e Elsewhere) Decline(ctx context.Context, q LoginQuestion) (Approved, error) {
	return e.Server.declineLogin(ctx, q)
}
