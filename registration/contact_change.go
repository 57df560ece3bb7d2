package registration

import (
	"context"
	"crypto/x509"
	"slices"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/store"
)

// verbContact stands in the audit line of a contact that was registered anew; its subject
// is an application of the person, its detail the digest of the signed paper.
const verbContact = attest.VerbContact

// ContactByDevice registers another contact at the wish of the phone, whose right secret
// the chip had verified: the signing password, or the PIN where only an authentication
// credential is left (K10). What is asked is in the signed request (attest.ContactDigest),
// so that nobody on the way puts in a number of their own. The notice goes to the contact
// that stood before. A phone that is on hold may not: it may be in a thief's hands; the
// card can. Errors as ByDevice; Conflict "credential-held", Invalid "contact-malformed".
func (a *Authority) ContactByDevice(ctx context.Context, element warifu.ElementID, envelope []byte, c Contact) error {
	request, err := a.deviceRequest(ctx, element, envelope)
	if err != nil {
		return err
	}
	if request.Purpose != attest.PurposeContact || request.Subject != attest.ContactDigest(c.Reading, c.BirthDate, c.Telephone) {
		return warifu.Refused("device-request-other")
	}
	folded, err := c.foldedForCard(a.Clock.Now())
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfElement(element)
		if err != nil {
			return err
		}
		standing := slices.DeleteFunc(aimAt(all, warifu.Kinds[:]), func(c store.Credential) bool { return !live(c) })
		if len(standing) == 0 {
			return warifu.NotFound("credential-absent")
		}
		if slices.ContainsFunc(standing, func(c store.Credential) bool { return c.State == warifu.CredentialHeld }) {
			return warifu.Conflict("credential-held")
		}
		if err := a.mayOrder(tx, request, false, all); err != nil {
			return err
		}
		row, err := tx.Application(standing[0].Application)
		if err != nil {
			return err
		}
		card, err := cardOfApplication(tx, row)
		if err != nil {
			return err
		}
		if err := bornAsCertified(&folded, card); err != nil {
			return err
		}
		return a.replaceContact(tx, row, folded, envelope, actorElement(element))
	})
}

// ContactByCard registers another contact at the wish of who holds the card, on any device:
// the way when the phone is gone. The order's reason is the digest of the contact. Errors as
// ByCard; NotFound "credential-absent" for a person who has never applied, Invalid
// "contact-malformed".
func (a *Authority) ContactByCard(ctx context.Context, document []byte, c Contact) error {
	message, wanted, err := parseCardOrder(document)
	if err != nil {
		return err
	}
	if wanted.Verb != attest.VerbContact || wanted.Reason != attest.ContactDigest(c.Reading, c.BirthDate, c.Telephone) {
		return warifu.Invalid("order-malformed")
	}
	folded, err := c.foldedForCard(a.Clock.Now())
	if err != nil {
		return err
	}
	if err := bornAsCertified(&folded, message.Signer); err != nil {
		return err
	}
	if err := a.checkOrderSignature(ctx, document); err != nil {
		return err
	}
	expires, err := a.freshChallenge(wanted.Challenge, warifu.ElementID{})
	if err != nil {
		return err
	}
	statement, _, err := a.cardOf(ctx, message.Signer, warifu.DigestOf(message.Content), nil, nil)
	if err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error {
		at, err := aimOfPerson(tx, statement.Person, warifu.Kinds[:])
		if err != nil {
			return err
		}
		_, id := personOf(at)
		row, err := tx.Application(id)
		if err != nil {
			return err
		}
		if err := tx.UseChallenge(warifu.DigestOf(wanted.Challenge), expires); err != nil {
			return err
		}
		return a.replaceContact(tx, row, folded, document, actorCard)
	})
}

// replaceContact tells the contact that stands, then puts the other in its place and tells
// that one too, and the phone.
func (a *Authority) replaceContact(tx *store.Tx, row store.Application, c store.Contact, evidence []byte, actor string) error {
	digest, err := tx.SealBlob(row.Person, evidence)
	if err != nil {
		return err
	}
	line := store.Line{At: a.Clock.Now(), Actor: actor, Verb: verbContact, Subject: row.ID, Detail: map[string]string{"order": digest.String()}}
	if err := tx.Audit(line); err != nil {
		return err
	}
	if err := a.tellContact(tx, row.Person, row.ID, occasionContactChanged); err != nil {
		return err
	}
	if err := tx.PutContact(row.Person, c, a.Clock.Now()); err != nil {
		return err
	}
	if err := a.tellContact(tx, row.Person, row.ID, occasionContactNew); err != nil {
		return err
	}
	return a.tell(tx, row.ID)
}

// cardOfApplication is the card's signing certificate that an application came with.
func cardOfApplication(tx *store.Tx, row store.Application) (*x509.Certificate, error) {
	der, err := tx.UnsealBlob(row.Signed)
	if err != nil {
		return nil, err
	}
	message, err := cms.Parse(der)
	if err != nil {
		return nil, err
	}
	return message.Signer, nil
}
