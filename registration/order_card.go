package registration

import (
	"context"
	"slices"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/profile"
	"warifu/store"
	"warifu/verify"
)

// actorCard is who acts with the card: the holder, on whichever device.
const actorCard = "card"

// ByCard carries out an order that the holder signed with the card, on any device (K9,
// K10): the way when the phone is lost, broken or locked for good. Card, chain and
// state are checked as for an application; the person is whoever the card bureau states
// the card to be, never what the message says. It may suspend (lost, own wish, repair), resume
// those, and revoke. An open application of the same phone waits with a hold and is
// withdrawn with a revocation. Asking for what is so already changes nothing; errors
// otherwise as ByDevice, and those of a card.
func (a *Authority) ByCard(ctx context.Context, document []byte) ([]Standing, error) {
	message, wanted, err := parseCardOrder(document)
	if err != nil {
		return nil, err
	}
	switch wanted.Verb {
	case warifu.VerbSuspend, warifu.VerbResume, warifu.VerbRevoke:
	default:
		return nil, warifu.Invalid("order-malformed") // has a door of its own (ContactByCard, HolderByCard)
	}
	o := order{
		verb: wanted.Verb, kinds: wanted.Kinds, hold: hold{warifu.HoldReason(wanted.Reason), wanted.Until},
		party: warifu.PartyCard, actor: actorCard, evidence: document,
	}
	if err := a.checkOrderSignature(ctx, document); err != nil {
		return nil, err
	}
	expires, err := a.freshChallenge(wanted.Challenge, warifu.ElementID{})
	if err != nil {
		return nil, err
	}
	statement, _, err := a.cardOf(ctx, message.Signer, warifu.DigestOf(message.Content), nil, nil)
	if err != nil {
		return nil, err
	}
	var done []Standing
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		at, err := aimOfPerson(tx, statement.Person, o.kinds)
		if err != nil {
			return err
		}
		at = at.narrowed(o)
		if met, err := a.met(tx, at, o); err != nil || met {
			done, err = standing(tx, at.credentials)
			return err
		}
		if err := a.allowed(o); err != nil {
			return err
		}
		if err := tx.UseChallenge(warifu.DigestOf(wanted.Challenge), expires); err != nil {
			return err
		}
		moved, err := a.carryOut(tx, at, o)
		if err != nil {
			return err
		}
		done, err = standing(tx, moved)
		return err
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

func parseCardOrder(der []byte) (*cms.Message, attest.CardOrder, error) {
	if len(der) > MaxDocument {
		return nil, attest.CardOrder{}, warifu.TooLarge("application-too-large")
	}
	message, err := cms.Parse(der)
	if err != nil {
		return nil, attest.CardOrder{}, err
	}
	if message.Detached || !message.ContentType.Equal(attest.OIDCardOrder) {
		return nil, attest.CardOrder{}, warifu.Invalid("document-not-an-order")
	}
	o, err := attest.ParseCardOrder(message.Content)
	if err != nil {
		return nil, o, err
	}
	if hold := o.Verb != warifu.VerbRevoke; hold != (o.Reason != "") || !o.Until.IsZero() && o.Verb != warifu.VerbSuspend {
		return nil, o, warifu.Invalid("order-malformed")
	}
	if rule, _ := warifu.HoldReason(o.Reason).Rule(); !o.Until.IsZero() && !rule.Dated {
		return nil, o, warifu.Invalid("order-malformed")
	}
	return message, o, nil
}

// checkOrderSignature checks the card's signature, chain, profile and validity; its state
// comes with the statement, as for an application.
func (a *Authority) checkOrderSignature(ctx context.Context, document []byte) error {
	result, err := a.Cards.Document(ctx, document, nil, verify.Policy{
		Classes: []profile.Class{profile.ClassCard}, ContentType: attest.OIDCardOrder, MaxMessage: MaxDocument,
	})
	if err == nil && result.Verdict == verify.Bad {
		err = result.Err()
	}
	return err
}

// aimOfPerson finds what a person's order means: the live credentials of the kinds, and
// the open application if it is the same phone's, or if there is no live phone to mean.
func aimOfPerson(tx *store.Tx, person warifu.Digest, kinds []warifu.Kind) (aim, error) {
	var at aim
	all, err := credentialsOfPerson(tx, person)
	if err != nil {
		return at, err
	}
	at.credentials = aimAt(all, kinds)
	open, err := tx.OpenApplications(person)
	if err != nil {
		return at, err
	}
	for i := range open {
		elsewhere := func(c store.Credential) bool { return live(c) && c.Element != open[i].Element }
		if !slices.ContainsFunc(all, elsewhere) {
			at.application = &open[i]
		}
	}
	if at.application != nil && !slices.ContainsFunc(at.credentials, live) {
		at.credentials = nil // what ended long ago is not what is meant
	}
	if len(at.credentials) == 0 && at.application == nil {
		return at, warifu.NotFound("credential-absent")
	}
	return at, nil
}

// credentialsOfPerson returns every credential a person ever had, oldest first.
func credentialsOfPerson(tx *store.Tx, person warifu.Digest) ([]store.Credential, error) {
	rows, err := tx.ApplicationsOfPerson(person)
	if err != nil {
		return nil, err
	}
	var out []store.Credential
	for _, row := range rows {
		of, err := tx.CredentialsOfApplication(row.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}
