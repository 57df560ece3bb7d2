package registration

import (
	"context"
	"slices"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// The purposes of a phone's requests about what others asked of its holder. The subject of
// PurposeLedger is the number of the line before the page, of PurposeConsents SubjectAll, of the
// others the identifier of an attribute request or a verification.
const (
	PurposeLedger   = "ledger"
	PurposeConsents = "consents"
	PurposeGrant    = "consent:grant"
	PurposeRefuse   = "consent:refuse"
	PurposeEvidence = "evidence"
	SubjectAll      = "all"
)

// Holder is who stands behind a phone's request.
type Holder struct {
	Person  warifu.Digest
	Subject string // of the request
	Held    bool   // a certificate on this phone is on hold: it may be in other hands
}

// Holder tells whose the credentials on a phone are, to a request of that purpose for which
// the chip had verified the phone's PIN or signing password, and spends its challenge.
// Errors: "element-unknown", "device-request-other", "secret-not-verified",
// "credential-absent" where nothing live is on the phone, those of challenges and papers.
func (a *Authority) Holder(ctx context.Context, element warifu.ElementID, envelope []byte, purpose string) (Holder, error) {
	request, err := a.deviceRequest(ctx, element, envelope)
	if err != nil {
		return Holder{}, err
	}
	if request.Purpose != purpose {
		return Holder{}, warifu.Refused("device-request-other")
	}
	h := Holder{Subject: request.Subject}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfElement(element)
		if err != nil {
			return err
		}
		standing := slices.DeleteFunc(slices.Clone(all), func(c store.Credential) bool { return !live(c) })
		if len(standing) == 0 {
			return warifu.NotFound("credential-absent")
		}
		h.Person = standing[len(standing)-1].Person
		h.Held = slices.ContainsFunc(standing, func(c store.Credential) bool { return c.State == warifu.CredentialHeld })
		return a.mayOrder(tx, request, true, all)
	})
	return h, err
}

// HolderByCard is Holder for who has no phone with certificates, or not at hand: the card's
// signing key says so on any device, over an order of the verb (attest.VerbConsents, VerbGrant,
// VerbRefuse), whose reason is the subject. The card may suspend and revoke all that is on a
// phone, so that it decides no less than the phone does; a card on hold, or over, decides
// nothing. The order's challenge is spent. Errors as ByCard; NotFound "credential-absent" for a
// person who has never applied, of whom nobody can ask anything.
func (a *Authority) HolderByCard(ctx context.Context, document []byte, verb warifu.Verb) (Holder, error) {
	message, wanted, err := parseCardOrder(document)
	if err != nil {
		return Holder{}, err
	}
	if wanted.Verb != verb || verb != attest.VerbConsents && verb != attest.VerbGrant && verb != attest.VerbRefuse {
		return Holder{}, warifu.Invalid("order-malformed")
	}
	if err := a.checkOrderSignature(ctx, document); err != nil {
		return Holder{}, err
	}
	expires, err := a.freshChallenge(wanted.Challenge, warifu.ElementID{})
	if err != nil {
		return Holder{}, err
	}
	statement, _, err := a.cardOf(ctx, message.Signer, warifu.DigestOf(message.Content), nil, nil)
	if err != nil {
		return Holder{}, err
	}
	h := Holder{Person: statement.Person, Subject: wanted.Reason}
	return h, a.Store.Write(ctx, func(tx *store.Tx) error {
		rows, err := tx.ApplicationsOfPerson(h.Person)
		if err == nil && len(rows) == 0 {
			err = warifu.NotFound("credential-absent")
		}
		if err != nil {
			return err
		}
		return tx.UseChallenge(warifu.DigestOf(wanted.Challenge), expires)
	})
}
