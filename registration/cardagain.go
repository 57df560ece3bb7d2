package registration

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"strconv"

	"warifu"
	"warifu/attest"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// PurposePersonalize and ClientPersonalize are the purpose and audience of the
// presence message by which the card shows itself again (R45).
const (
	PurposePersonalize = "personalize"
	ClientPersonalize  = "warifu"
)

// cardAgain asks for the card when the application is older than the scheme lets
// it be fetched without. The challenge is in the problem's parameters, so that the
// phone needs no other address.
func (a *Authority) cardAgain(ctx context.Context, row store.Application, proof *CardProof) error {
	if a.Scheme.CardAgain <= 0 || a.Clock.Now().Sub(row.SubmittedAt) <= a.Scheme.CardAgain {
		return nil
	}
	if proof == nil {
		now := a.Clock.Now()
		challenge, err := attest.NewChallenge(a.ChallengeMAC, a.Random, row.Element, now)
		if err != nil {
			return err
		}
		return warifu.Unauthenticated("card-proof-required",
			"nonce", base64.StdEncoding.EncodeToString(challenge), "time", strconv.FormatInt(now.Unix(), 10))
	}
	return a.checkCardProof(ctx, row, *proof)
}

func (a *Authority) checkCardProof(ctx context.Context, row store.Application, p CardProof) error {
	expires, err := a.freshChallenge(p.Challenge, row.Element)
	if err != nil {
		return err
	}
	made, err := attest.CheckChallenge(a.ChallengeMAC, p.Challenge, row.Element)
	if err != nil {
		return err
	}
	if warifu.DigestOf(p.Certificate) != row.Parent.AuthenticationCertificate {
		return warifu.Refused("card-other")
	}
	certificate, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		return warifu.Invalid("card-other").With(err)
	}
	message := attest.Presence{Purpose: PurposePersonalize, ClientID: ClientPersonalize, Origin: a.Origin, Nonce: p.Challenge, Transaction: row.ID, Time: made}
	result, err := a.Cards.Presence(ctx, message, certificate, p.Signature, verify.Policy{Classes: []profile.Class{profile.ClassCard}})
	if err != nil {
		return err
	}
	if result.Verdict == verify.Bad {
		return result.Err()
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return tx.UseChallenge(warifu.DigestOf(p.Challenge), expires) })
}
