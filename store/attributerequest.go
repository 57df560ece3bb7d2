package store

import (
	"time"

	"warifu"
)

// AttributeRequest is a relying party's wish to be told attributes, for the holder to decide.
type AttributeRequest struct {
	ID           string
	Party        string
	Verification string
	Person       warifu.Digest
	Attributes   string        // joined by commas
	Purpose      warifu.Digest // a sealed blob
	State        string        // "waiting", "granted", "refused"
	Decision     warifu.Digest // a sealed blob: the chip's signed word; zero while it waits
	At, Expires  time.Time
	DecidedAt    time.Time
}

const attributeRequestColumns = `id, party, verification, person, attributes, purpose, state, decision, at, expires, decided_at`

func scanAttributeRequest(s scanner) (r AttributeRequest, err error) {
	err = s.Scan(&r.ID, &r.Party, &r.Verification, fixed{r.Person[:]}, &r.Attributes, fixed{r.Purpose[:]}, &r.State, fixed{r.Decision[:]},
		instant{&r.At}, instant{&r.Expires}, instant{&r.DecidedAt})
	return r, err
}

// InsertAttributeRequest writes a request that waits.
func (tx *Tx) InsertAttributeRequest(r AttributeRequest) error {
	_, err := tx.exec(`INSERT INTO attribute_requests (`+attributeRequestColumns+`) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', NULL, $7, $8, 0)`,
		r.ID, r.Party, r.Verification, r.Person[:], r.Attributes, r.Purpose[:], micros(r.At), micros(r.Expires))
	return err
}

// AttributeRequest returns one by id; NotFound "attribute-request-unknown".
func (tx *Tx) AttributeRequest(id string) (AttributeRequest, error) {
	return only(tx.work, warifu.NotFound("attribute-request-unknown"), scanAttributeRequest, `SELECT `+attributeRequestColumns+` FROM attribute_requests WHERE id = $1`, id)
}

// AttributeRequestsOf returns up to limit requests that wait for a person, oldest first.
func (tx *Tx) AttributeRequestsOf(person warifu.Digest, now time.Time, limit int) ([]AttributeRequest, error) {
	return list(tx.work, scanAttributeRequest, `SELECT `+attributeRequestColumns+` FROM attribute_requests
		WHERE person = $1 AND state = 'waiting' AND expires > $2 ORDER BY at, id LIMIT $3`, person[:], micros(now), limit)
}

// DecideAttributeRequest writes the holder's decision and reports whether it was still open.
func (tx *Tx) DecideAttributeRequest(id, state string, decision warifu.Digest, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE attribute_requests SET state = $1, decision = $2, decided_at = $3 WHERE id = $4 AND state = 'waiting' AND expires > $3`,
		state, decision[:], micros(at), id)
	return n == 1, err
}

// NewestOf returns a person's newest application that was not rejected: the card behind it
// says what is so now; NotFound "application-unknown".
func (tx *Tx) NewestOf(person warifu.Digest) (Application, error) {
	return only(tx.work, warifu.NotFound("application-unknown"), scanApplication, `SELECT `+applicationColumns+` FROM applications
		WHERE person = $1 AND state <> 'rejected' ORDER BY submitted_at DESC, id DESC LIMIT 1`, person[:])
}
