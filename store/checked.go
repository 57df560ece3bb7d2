package store

import (
	"time"

	"warifu"
)

// Checked is one entry of a person's ledger of who checked them. What it says lies sealed
// under its commitment.
type Checked struct {
	Person     warifu.Digest
	Seq        int64         // from 1, without gaps
	Commitment warifu.Digest // SHA-256 of the salted contents, by which they are sealed
	Chain      warifu.Digest // over the entry before and this one; whoever appends makes it
	At         time.Time
}

// CheckedHead is where a person's ledger begins and ends: before Base everything was purged.
type CheckedHead struct {
	Base      int64
	BaseChain warifu.Digest
	Seq       int64
	Chain     warifu.Digest
}

// CheckedHead returns a person's; zero where nobody ever checked them.
func (tx *Tx) CheckedHead(person warifu.Digest) (CheckedHead, error) {
	var h CheckedHead
	_, err := tx.one(`SELECT base, base_chain, seq, chain FROM checked_heads WHERE person = $1`, []any{person[:]},
		&h.Base, fixed{h.BaseChain[:]}, &h.Seq, fixed{h.Chain[:]})
	return h, err
}

// AppendChecked writes the entry behind a head that was read in the same transaction.
// Conflict "ledger-moved" when another came between.
func (tx *Tx) AppendChecked(e Checked) error {
	none := make([]byte, len(warifu.Digest{}))
	if _, err := tx.exec(`INSERT INTO checked_heads (person, base, base_chain, seq, chain) VALUES ($1, 0, $2, 0, $2) ON CONFLICT DO NOTHING`, e.Person[:], none); err != nil {
		return err
	}
	n, err := tx.exec(`UPDATE checked_heads SET seq = $1, chain = $2 WHERE person = $3 AND seq = $4`, e.Seq, e.Chain[:], e.Person[:], e.Seq-1)
	if err != nil {
		return err
	}
	if n != 1 {
		return warifu.Conflict("ledger-moved")
	}
	_, err = tx.exec(`INSERT INTO checked (person, seq, commitment, chain, at) VALUES ($1, $2, $3, $4, $5)`,
		e.Person[:], e.Seq, e.Commitment[:], e.Chain[:], micros(e.At))
	return err
}

const checkedColumns = `person, seq, commitment, chain, at`

func scanChecked(s scanner) (e Checked, err error) {
	err = s.Scan(fixed{e.Person[:]}, &e.Seq, fixed{e.Commitment[:]}, fixed{e.Chain[:]}, instant{&e.At})
	return e, err
}

// CheckedAfter returns up to limit entries of a person after one, in order.
func (tx *Tx) CheckedAfter(person warifu.Digest, seq int64, limit int) ([]Checked, error) {
	return list(tx.work, scanChecked, `SELECT `+checkedColumns+` FROM checked WHERE person = $1 AND seq > $2 ORDER BY seq LIMIT $3`, person[:], seq, limit)
}

// CheckedBefore returns up to limit persons who have entries from before an instant.
func (tx *Tx) CheckedBefore(at time.Time, limit int) ([]warifu.Digest, error) {
	return list(tx.work, func(s scanner) (person warifu.Digest, err error) {
		err = s.Scan(fixed{person[:]})
		return person, err
	}, `SELECT DISTINCT person FROM checked WHERE at < $1 ORDER BY person LIMIT $2`, micros(at), limit)
}

// PurgeChecked takes away a person's entries, and what they said, up to the newest from
// before an instant, and returns how many. The chain goes on from there.
func (tx *Tx) PurgeChecked(person warifu.Digest, before time.Time) (int64, error) {
	last, err := list(tx.work, scanChecked, `SELECT `+checkedColumns+` FROM checked WHERE person = $1 AND at < $2 ORDER BY seq DESC LIMIT 1`, person[:], micros(before))
	if err != nil || len(last) == 0 {
		return 0, err
	}
	to := last[0]
	if _, err := tx.exec(`DELETE FROM sealed WHERE owner = $1 AND digest IN (SELECT commitment FROM checked WHERE person = $1 AND seq <= $2)`, person[:], to.Seq); err != nil {
		return 0, err
	}
	if _, err := tx.exec(`UPDATE checked_heads SET base = $1, base_chain = $2 WHERE person = $3`, to.Seq, to.Chain[:], person[:]); err != nil {
		return 0, err
	}
	return tx.exec(`DELETE FROM checked WHERE person = $1 AND seq <= $2`, person[:], to.Seq)
}

// PersonOfCard returns whose card carries the certificate of that kind with that serial
// number: of the newest application made with it. False where none was.
func (tx *Tx) PersonOfCard(kind warifu.Kind, serial []byte) (person warifu.Digest, found bool, err error) {
	column := "parent_signature_serial"
	if kind == warifu.Authentication {
		column = "parent_authentication_serial"
	}
	found, err = tx.one(`SELECT person FROM applications WHERE `+column+` = $1 ORDER BY submitted_at DESC, id DESC LIMIT 1`, []any{serial}, fixed{person[:]})
	return person, found, err
}

const pairwiseLabel = "warifu-pairwise-v1"

// Pairwise returns the name by which one relying party knows a person: keyed, so that two
// parties who compare theirs, and whoever reads the database, learn nothing from them.
func (s *Store) Pairwise(person warifu.Digest, party string) ([]byte, error) {
	return s.seal.Index([]byte(pairwiseLabel + "\x00" + party + "\x00" + string(person[:])))
}
