package registration

import (
	"context"
	"crypto/x509"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// activate checks the chip's receipt and the card once more and commits: the
// credentials become active, every credential of an older device is superseded.
func (a *Authority) activate(ctx context.Context, id string, envelope []byte) error {
	row, _, err := a.row(ctx, id)
	if err != nil {
		return err
	}
	if row.State == warifu.ApplicationPersonalized {
		return nil // committed before a cut; only ACTIVATE is left
	}
	signer, cardAuthentication, err := a.checkReceipt(ctx, row, envelope)
	if err != nil {
		return err
	}
	statement, _, err := a.cardOf(ctx, signer, row.Document, row.Kinds, cardAuthentication)
	if err != nil {
		return err
	}
	if statement.Person != row.Person {
		return warifu.Refused("card-statement-other-card")
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return a.personalized(tx, row, envelope) })
}

// checkReceipt checks the receipt against what was to be written.
func (a *Authority) checkReceipt(ctx context.Context, row store.Application, envelope []byte) (signer *x509.Certificate, cardAuthentication []byte, err error) {
	w, err := a.written(ctx, row)
	if err != nil {
		return nil, nil, err
	}
	if signer, err = signerOf(w.document); err != nil {
		return nil, nil, err
	}
	pub, element, err := a.chainHeld(w.chain, row)
	if err != nil {
		return nil, nil, err
	}
	receipt, err := attest.OpenReceipt(envelope, pub)
	if err != nil {
		return nil, nil, err
	}
	if element != row.Element || !receiptMatches(receipt, row, warifu.DigestOf(signer.RawSubjectPublicKeyInfo), w.credentials) {
		return nil, nil, warifu.Refused("receipt-other-content")
	}
	return signer, w.cardAuthentication, nil
}

// written is what a receipt must be about.
type written struct {
	document           []byte // CMS
	chain              [][]byte
	cardAuthentication []byte // when that kind was applied for
	credentials        []store.Credential
}

func (a *Authority) written(ctx context.Context, row store.Application) (w written, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		if w.document, err = tx.UnsealBlob(row.Signed); err != nil {
			return err
		}
		if w.chain, err = unsealAll(tx, row.Chain); err != nil {
			return err
		}
		if slices.Contains(row.Kinds, warifu.Authentication) {
			if w.cardAuthentication, err = tx.UnsealBlob(row.Parent.AuthenticationCertificate); err != nil {
				return err
			}
		}
		w.credentials, err = tx.CredentialsOfApplication(row.ID)
		return err
	})
	return w, err
}

func receiptMatches(r attest.Receipt, row store.Application, parent warifu.Digest, credentials []store.Credential) bool {
	if r.Element != row.Element || r.Application != warifu.DigestOf([]byte(row.ID)) || r.Parent != parent || len(r.Slots) != len(credentials) {
		return false
	}
	for _, c := range credentials {
		found := false
		for _, s := range r.Slots {
			found = found || s == attest.Slot{Kind: c.Kind, PublicKey: c.PublicKey, Certificate: c.Certificate}
		}
		if !found {
			return false
		}
	}
	return true
}

// personalized is the one transaction of design §3.7. A second session of the same
// application that comes as far finds it done.
func (a *Authority) personalized(tx *store.Tx, row store.Application, receipt []byte) error {
	standing, err := tx.Application(row.ID)
	if err != nil {
		return err
	}
	switch standing.State {
	case warifu.ApplicationIssued:
	case warifu.ApplicationPersonalized:
		return nil
	default: // withdrawn by a newer one, or lapsed, while the chip was written
		return warifu.Conflict("application-ended", "state", string(standing.State))
	}
	held, err := isHeld(tx, row.ID)
	if err != nil {
		return err
	}
	if held {
		return warifu.Conflict("application-held")
	}
	now := a.Clock.Now()
	digest, err := tx.SealBlob(row.Person, receipt)
	if err != nil {
		return err
	}
	if _, err := tx.MoveApplication(row.ID, warifu.VerbPersonalize, now, ""); err != nil {
		return err
	}
	line := store.Line{ID: tx.NewID(), At: now, Actor: actorElement(row.Element), Verb: warifu.VerbPersonalize, Subject: row.ID, Detail: map[string]string{"receipt": digest.String()}}
	if err := tx.Audit(line); err != nil {
		return err
	}
	if err := a.supersede(tx, row, line.ID); err != nil {
		return err
	}
	return a.makeActive(tx, row, line.ID, now)
}

func (a *Authority) makeActive(tx *store.Tx, row store.Application, cause string, now time.Time) error {
	credentials, err := tx.CredentialsOfApplication(row.ID)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		if _, err := tx.MoveCredential(c.ID, warifu.VerbActivate, 0, now); err != nil {
			return err
		}
		if err := tx.Audit(store.Line{At: now, Actor: actorElement(row.Element), Verb: warifu.VerbActivate, Subject: c.ID, Cause: cause}); err != nil {
			return err
		}
	}
	return nil
}

// supersede ends every live credential of the person: one person, one device, and
// the newest pair replaces whatever was there (R55, K14). What another person left on
// this device is revoked: the chip has destroyed its keys, or is about to carry two
// persons', and a device is one person's.
func (a *Authority) supersede(tx *store.Tx, row store.Application, cause string) error {
	live, err := tx.LiveCredentials(row.Person)
	if err != nil {
		return err
	}
	for _, c := range live {
		if _, _, err := a.endCredential(tx, c, warifu.VerbSupersede, warifu.ReasonSuperseded, actorHouse, cause); err != nil {
			return err
		}
	}
	if err := a.tellOlder(tx, row, live); err != nil {
		return err
	}
	there, err := tx.CredentialsOfElement(row.Element)
	if err != nil {
		return err
	}
	for _, c := range there {
		if c.Person == row.Person || c.State == warifu.CredentialPending {
			continue // a pending one's application ends by itself: its keys are gone
		}
		if _, _, err := a.revokeCredential(tx, c, warifu.ReasonCessationOfOperation, actorHouse, cause); err != nil {
			return err
		}
	}
	return nil
}
