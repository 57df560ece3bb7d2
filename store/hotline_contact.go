package store

import (
	"crypto/rand"
	"encoding/json"
	"time"

	"warifu"
)

// Contact is how a person is found at the hotline and told of what was done, in one
// spelling each. It lies in the sealed table and nowhere else; rows hold keyed digests.
type Contact struct {
	Reading   string
	BirthDate string
	Telephone string
}

const contactLabel = "warifu-contact-v1"

// sealedContact is a contact as it is sealed. The salt keeps the digest by which the blob
// is named from being tried against all the birth dates and telephones there are.
type sealedContact struct {
	Contact
	Salt []byte
}

// PutContact keeps a person's contact; a newer one replaces the older, which is gone once
// the notices that were written to it have been handed on.
func (tx *Tx) PutContact(person warifu.Digest, c Contact, at time.Time) error {
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	plain, err := json.Marshal(sealedContact{c, salt})
	if err != nil {
		return err
	}
	index, err := tx.contactIndexes(c)
	if err != nil {
		return err
	}
	if err := tx.dropContact(person); err != nil {
		return err
	}
	digest, err := tx.SealBlob(person, plain)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO contacts (person, sealed, reading, birth_date, telephone, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		person[:], digest[:], index[0], index[1], index[2], micros(at))
	return err
}

func (tx *Tx) dropContact(person warifu.Digest) error {
	_, err := tx.exec(`DELETE FROM sealed WHERE owner = $1 AND digest IN (SELECT sealed FROM contacts WHERE person = $1)
		AND NOT EXISTS (SELECT 1 FROM contact_notices n WHERE n.sealed = sealed.digest AND n.sent_at = 0)`, person[:])
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM contacts WHERE person = $1`, person[:])
	return err
}

// Contact returns a person's contact, or NotFound "contact-unknown".
func (tx *Tx) Contact(person warifu.Digest) (Contact, error) {
	var digest warifu.Digest
	found, err := tx.one(`SELECT sealed FROM contacts WHERE person = $1`, []any{person[:]}, fixed{digest[:]})
	if err != nil {
		return Contact{}, err
	}
	if !found {
		return Contact{}, warifu.NotFound("contact-unknown")
	}
	return tx.openContact(digest)
}

func (tx *Tx) openContact(digest warifu.Digest) (Contact, error) {
	plain, err := tx.UnsealBlob(digest)
	if err != nil {
		return Contact{}, err
	}
	var c sealedContact
	return c.Contact, json.Unmarshal(plain, &c)
}

// maxFound bounds what one search returns.
const maxFound = 10

// PersonsOfContact returns whose contact is this in all three parts, ten at the most.
func (tx *Tx) PersonsOfContact(c Contact) ([]warifu.Digest, error) {
	index, err := tx.contactIndexes(c)
	if err != nil {
		return nil, err
	}
	return list(tx.work, func(s scanner) (person warifu.Digest, err error) {
		err = s.Scan(fixed{person[:]})
		return person, err
	}, `SELECT person FROM contacts WHERE reading = $1 AND birth_date = $2 AND telephone = $3 ORDER BY person LIMIT $4`,
		index[0], index[1], index[2], maxFound)
}

// contactIndexes are the keyed digests of the parts, each under a label of its own.
func (tx *Tx) contactIndexes(c Contact) (out [3][]byte, err error) {
	for i, part := range []string{"reading\x00" + c.Reading, "birth-date\x00" + c.BirthDate, "telephone\x00" + c.Telephone} {
		if out[i], err = tx.store.seal.Index([]byte(contactLabel + "\x00" + part)); err != nil {
			return out, tx.fail(err)
		}
	}
	return out, nil
}

// ContactNotice is something a person's registered contact is to be told.
type ContactNotice struct {
	ID          string // made by PutContactNotice when empty
	Person      warifu.Digest
	Application string
	Occasion    string // "new-phone", "revoked-by-operators", …
	At          time.Time

	sealed warifu.Digest // the contact it was written to
}

// PutContactNotice puts a notice into the outbox and reports whether it did: there is
// nobody to be told where no contact was registered. It goes to the contact that stands
// now, also when another replaces that one before it is handed on.
func (tx *Tx) PutContactNotice(n ContactNotice) (bool, error) {
	if n.ID == "" {
		n.ID = tx.NewID()
	}
	rows, err := tx.exec(`INSERT INTO contact_notices (id, person, application, occasion, at, sent_at, sealed)
		SELECT $1, person, $2, $3, $4, 0, sealed FROM contacts WHERE person = $5`, n.ID, n.Application, n.Occasion, micros(n.At), n.Person[:])
	return rows == 1, err
}

// OpenContactNotices returns up to limit notices after the one with that ID that have not
// been handed on, oldest first.
func (tx *Tx) OpenContactNotices(after string, limit int) ([]ContactNotice, error) {
	return list(tx.work, func(s scanner) (n ContactNotice, err error) {
		err = s.Scan(&n.ID, fixed{n.Person[:]}, &n.Application, &n.Occasion, instant{&n.At}, fixed{n.sealed[:]})
		return n, err
	}, `SELECT id, person, application, occasion, at, sealed FROM contact_notices WHERE sent_at = 0 AND id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// LeaseContactNotice takes a notice to hand it on, for as long as that may take, and reports
// whether it did: it is somebody else's while their lease lasts, and nobody's once it was
// handed on.
func (tx *Tx) LeaseContactNotice(id string, at, until time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE contact_notices SET leased_until = $1 WHERE id = $2 AND sent_at = 0 AND leased_until <= $3`, micros(until), id, micros(at))
	return n == 1, err
}

// ReleaseContactNotice gives a notice back that could not be handed on.
func (tx *Tx) ReleaseContactNotice(id string) error {
	_, err := tx.exec(`UPDATE contact_notices SET leased_until = 0 WHERE id = $1 AND sent_at = 0`, id)
	return err
}

// ContactOfNotice returns the contact that a notice was written to; NotFound
// "contact-unknown" when the person was erased since.
func (tx *Tx) ContactOfNotice(n ContactNotice) (Contact, error) {
	c, err := tx.openContact(n.sealed)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		err = warifu.NotFound("contact-unknown")
	}
	return c, err
}

// ContactNoticeSent notes that a notice was handed on; a contact that another has replaced
// goes with the last notice to it.
func (tx *Tx) ContactNoticeSent(id string, at time.Time) error {
	n, err := tx.exec(`UPDATE contact_notices SET sent_at = $1 WHERE id = $2 AND sent_at = 0`, micros(at), id)
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.exec(`DELETE FROM sealed WHERE digest = (SELECT sealed FROM contact_notices WHERE id = $1)
		AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.sealed = sealed.digest)
		AND NOT EXISTS (SELECT 1 FROM contact_notices n WHERE n.sealed = sealed.digest AND n.sent_at = 0)`, id)
	return err
}
