package phone

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/scheme"
)

// CardOrder is what the holder orders with the card on another device: the way when
// the phone is lost, broken or locked for good (K9, K10).
type CardOrder struct {
	Verb   warifu.Verb         // suspend, resume or revoke
	Kinds  []warifu.Kind       // none means both
	Reason warifu.HoldReason   // of a hold: lost, repair, own-wish; empty for a revocation
	Until  time.Time           // of a repair
	Card   iso7816.Transmitter // on a reader of this device
	// CardPassword is the *card's* signing password, as typed.
	CardPassword string
}

// Elsewhere is a device without certificates of its own at which a card is tapped: a PC
// with a reader, or somebody else's phone.
type Elsewhere struct {
	Server *Server
	Scheme *scheme.Scheme // by whose rules the card's password is folded (K7)
	Clock  warifu.Clock
}

// Order has the card sign the order and hands it in. It is final and immediate when it
// returns. Errors: those of a tap, "order-malformed", "hold-not-yours",
// "credential-absent", "credential-ended", and those of the card's state.
func (e Elsewhere) Order(ctx context.Context, o CardOrder) ([]Standing, error) {
	password, err := e.Scheme.CardPIN(warifu.Signature, o.CardPassword)
	if err != nil {
		return nil, err
	}
	if len(o.Kinds) == 0 {
		o.Kinds = warifu.Kinds[:]
	}
	kinds, err := sortedKinds(o.Kinds)
	if err != nil {
		return nil, err
	}
	challenge, err := e.Server.OrderChallenge(ctx, warifu.ElementID{})
	if err != nil {
		return nil, err
	}
	paper, err := attest.CardOrder{Challenge: challenge, Verb: o.Verb, Kinds: kinds, Reason: string(o.Reason), Until: o.Until}.Marshal()
	if err != nil {
		return nil, err
	}
	document, err := e.sign(ctx, o.Card, password, paper)
	if err != nil {
		return nil, err
	}
	return e.Server.CardOrder(ctx, document)
}

// Consents has the card ask who wants to be told attributes of its holder, and Consent decides
// one: the way for who has no phone with certificates, or not at hand. Each is signed by the card
// with its signing password, as typed. Errors as Order.
func (e Elsewhere) Consents(ctx context.Context, card iso7816.Transmitter, typed string) ([]Wish, error) {
	var out struct {
		Requests []Wish `json:"requests"`
	}
	document, err := e.about(ctx, card, typed, attest.VerbConsents, subjectAll)
	if err != nil {
		return nil, err
	}
	in := struct {
		Document []byte `json:"document"`
	}{document}
	return out.Requests, e.Server.do(ctx, call{http.MethodPost, "/api/v1/orders/consents", in, &out, false})
}

// Consent lets a relying party be told what it asked for, or not.
func (e Elsewhere) Consent(ctx context.Context, wish string, grant bool, card iso7816.Transmitter, typed string) error {
	verb := attest.VerbRefuse
	if grant {
		verb = attest.VerbGrant
	}
	document, err := e.about(ctx, card, typed, verb, wish)
	if err != nil {
		return err
	}
	in := struct {
		Document []byte `json:"document"`
		Grant    bool   `json:"grant"`
	}{document, grant}
	return e.Server.do(ctx, call{http.MethodPost, "/api/v1/orders/consent", in, nil, false})
}

// about is a card order about attribute requests, signed.
func (e Elsewhere) about(ctx context.Context, card iso7816.Transmitter, typed string, verb warifu.Verb, subject string) ([]byte, error) {
	password, err := e.Scheme.CardPIN(warifu.Signature, typed)
	if err != nil {
		return nil, err
	}
	challenge, err := e.Server.OrderChallenge(ctx, warifu.ElementID{})
	if err != nil {
		return nil, err
	}
	paper, err := attest.CardOrder{Challenge: challenge, Verb: verb, Kinds: warifu.Kinds[:], Reason: subject}.Marshal()
	if err != nil {
		return nil, err
	}
	return e.sign(ctx, card, password, paper)
}

// sign has the card sign the order's paper.
func (e Elsewhere) sign(ctx context.Context, card iso7816.Transmitter, password warifu.CardPIN, paper []byte) ([]byte, error) {
	token, err := openCard(ctx, card)
	if err != nil {
		return nil, err
	}
	if err := present(ctx, card); err != nil {
		return nil, err
	}
	if err := token.VerifyCard(ctx, warifu.Signature, password); err != nil {
		return nil, cardError(err)
	}
	certificate, err := certificateOf(ctx, token, warifu.Signature)
	if err != nil {
		return nil, cardError(err)
	}
	prepared, err := cms.Prepare(attest.OIDCardOrder, paper, certificate, nil, e.Clock.Now(), false)
	if err != nil {
		return nil, err
	}
	signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(prepared.Digest()))
	if err != nil {
		return nil, cardError(err)
	}
	return prepared.Finish(signature)
}
