package store

import (
	"time"

	"warifu"
)

// Listing is a marketplace's question to the holder of a phone that is offered there.
type Listing struct {
	ID          string
	Party       string
	Element     warifu.ElementID
	Nonce       []byte
	State       string // "waiting", "declined", "clean"
	Answer      []byte // of "clean": the proof for the marketplace; else empty
	At, Expires time.Time
	ToldAt      time.Time // when the phone's notice was due; zero before
	DecidedAt   time.Time
}

const listingColumns = `id, party, element, nonce, state, answer, at, expires, told_at, decided_at`

func scanListing(s scanner) (l Listing, err error) {
	err = s.Scan(&l.ID, &l.Party, fixed{l.Element[:]}, &l.Nonce, &l.State, &l.Answer, instant{&l.At}, instant{&l.Expires}, instant{&l.ToldAt}, instant{&l.DecidedAt})
	return l, err
}

// InsertListing writes a question that waits.
func (tx *Tx) InsertListing(l Listing) error {
	_, err := tx.exec(`INSERT INTO listings (`+listingColumns+`) VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7, 0, 0)`,
		l.ID, l.Party, l.Element[:], l.Nonce, []byte{}, micros(l.At), micros(l.Expires))
	return err
}

// Listing returns one by id; NotFound "listing-unknown".
func (tx *Tx) Listing(id string) (Listing, error) {
	return only(tx.work, warifu.NotFound("listing-unknown"), scanListing, `SELECT `+listingColumns+` FROM listings WHERE id = $1`, id)
}

// ListingAsked returns the question of a party about a chip with that nonce; NotFound
// "listing-unknown".
func (tx *Tx) ListingAsked(party string, element warifu.ElementID, nonce []byte) (Listing, error) {
	return only(tx.work, warifu.NotFound("listing-unknown"), scanListing, `SELECT `+listingColumns+` FROM listings WHERE party = $1 AND element = $2 AND nonce = $3`,
		party, element[:], nonce)
}

// ListingsOf returns up to limit questions that wait for the holder of a chip, oldest first.
func (tx *Tx) ListingsOf(element warifu.ElementID, now time.Time, limit int) ([]Listing, error) {
	return list(tx.work, scanListing, `SELECT `+listingColumns+` FROM listings
		WHERE element = $1 AND state = 'waiting' AND expires > $2 ORDER BY at, id LIMIT $3`, element[:], micros(now), limit)
}

// ListingsBy counts what a party asked since: of one chip and of all.
func (tx *Tx) ListingsBy(party string, element warifu.ElementID, since time.Time) (ofChip, all int64, err error) {
	_, err = tx.one(`SELECT COUNT(*), COALESCE(SUM(CASE WHEN element = $1 THEN 1 ELSE 0 END), 0) FROM listings WHERE party = $2 AND at > $3`,
		[]any{element[:], party, micros(since)}, &all, &ofChip)
	return ofChip, all, err
}

// UntoldListings returns up to limit questions that wait and whose phone was not told yet,
// oldest first.
func (tx *Tx) UntoldListings(now time.Time, limit int) ([]Listing, error) {
	return list(tx.work, scanListing, `SELECT `+listingColumns+` FROM listings
		WHERE state = 'waiting' AND told_at = 0 AND expires > $1 ORDER BY at, id LIMIT $2`, micros(now), limit)
}

// ToldListing remembers that a question's phone was told, and reports whether it was not before.
func (tx *Tx) ToldListing(id string, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE listings SET told_at = $1 WHERE id = $2 AND told_at = 0`, micros(at), id)
	return n == 1, err
}

// DecideListing writes the holder's decision, "declined" or "clean" with its answer, and
// reports whether the question was still open.
func (tx *Tx) DecideListing(id, state string, answer []byte, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE listings SET state = $1, answer = $2, decided_at = $3 WHERE id = $4 AND state = 'waiting' AND expires > $3`,
		state, append([]byte{}, answer...), micros(at), id)
	return n == 1, err
}

// PurgeListings forgets questions that expired before and returns how many.
func (tx *Tx) PurgeListings(before time.Time) (int64, error) {
	return tx.exec(`DELETE FROM listings WHERE expires < $1`, micros(before))
}
