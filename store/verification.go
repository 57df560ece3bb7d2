package store

import (
	"time"

	"warifu"
)

// Verification is one thing that a relying party had checked.
type Verification struct {
	ID       string
	Party    string
	Form     string // "cms", "pdf", "xml", "digest", "presence", "certificate"
	Class    string // "card" or "phone"; "" where the checks did not reach so far
	Kind     warifu.Kind
	Serial   []byte        // none where the checks did not reach so far
	Person   warifu.Digest // zero: not known here
	Owner    warifu.Digest // under whose key the record is sealed
	Document warifu.Digest // zero: there was none
	Verdict  string
	Told     string        // attributes that were told, joined by commas
	Record   warifu.Digest // a sealed blob: the evidence record; zero: none was kept
	Until    time.Time     // when the record's newest time-stamp stops proving
	At       time.Time
}

const verificationColumns = `id, party, form, class, kind, serial, person, owner, document, verdict, told, record, until, at`

func scanVerification(s scanner) (v Verification, err error) {
	err = s.Scan(&v.ID, &v.Party, &v.Form, &v.Class, &v.Kind, &v.Serial, fixed{v.Person[:]}, fixed{v.Owner[:]}, fixed{v.Document[:]},
		&v.Verdict, &v.Told, fixed{v.Record[:]}, instant{&v.Until}, instant{&v.At})
	return v, err
}

// InsertVerification writes one down.
func (tx *Tx) InsertVerification(v Verification) error {
	serial := v.Serial
	if serial == nil {
		serial = []byte{}
	}
	_, err := tx.exec(`INSERT INTO verifications (`+verificationColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		v.ID, v.Party, v.Form, v.Class, int64(v.Kind), serial, octets(v.Person[:]), v.Owner[:], octets(v.Document[:]), v.Verdict, v.Told,
		octets(v.Record[:]), micros(v.Until), micros(v.At))
	return err
}

// Verification returns one by id; NotFound "verification-unknown".
func (tx *Tx) Verification(id string) (Verification, error) {
	return only(tx.work, warifu.NotFound("verification-unknown"), scanVerification, `SELECT `+verificationColumns+` FROM verifications WHERE id = $1`, id)
}

// VerificationsBy counts what a party had checked since an instant.
func (tx *Tx) VerificationsBy(party string, since time.Time) (n int64, err error) {
	_, err = tx.one(`SELECT COUNT(*) FROM verifications WHERE party = $1 AND at >= $2`, []any{party, micros(since)}, &n)
	return n, err
}

// SetTold notes which attributes a party has been told by now.
func (tx *Tx) SetTold(id, told string) error {
	_, err := tx.exec(`UPDATE verifications SET told = $1 WHERE id = $2`, told, id)
	return err
}

// VerificationsToRenew returns up to limit whose record stops proving before an instant,
// the soonest first.
func (tx *Tx) VerificationsToRenew(before time.Time, limit int) ([]Verification, error) {
	return list(tx.work, scanVerification, `SELECT `+verificationColumns+` FROM verifications
		WHERE record IS NOT NULL AND until < $1 ORDER BY until, id LIMIT $2`, micros(before), limit)
}

// ReplaceRecord puts a renewed record in the place of the one that v has.
func (tx *Tx) ReplaceRecord(v Verification, record warifu.Digest, until time.Time) error {
	n, err := tx.exec(`UPDATE verifications SET record = $1, until = $2 WHERE id = $3 AND record = $4`, record[:], micros(until), v.ID, v.Record[:])
	if err != nil || n == 0 {
		return err
	}
	return tx.dropRecord(v)
}

// dropRecord takes a record away from the sealed table unless another verification, of the
// same signature at the same instant, has it too.
func (tx *Tx) dropRecord(v Verification) error {
	_, err := tx.exec(`DELETE FROM sealed WHERE owner = $1 AND digest = $2 AND NOT EXISTS (SELECT 1 FROM verifications WHERE record = $2)`, v.Owner[:], v.Record[:])
	return err
}

// PurgeVerifications takes away up to limit verifications from before an instant, with all
// that hangs on them, and returns how many.
func (tx *Tx) PurgeVerifications(before time.Time, limit int) (int, error) {
	old, err := list(tx.work, scanVerification, `SELECT `+verificationColumns+` FROM verifications WHERE at < $1 ORDER BY at, id LIMIT $2`, micros(before), limit)
	if err != nil {
		return 0, err
	}
	for _, v := range old {
		for _, statement := range []string{
			`DELETE FROM webhook_events WHERE webhook IN (SELECT id FROM webhooks WHERE verification = $1)`,
			`DELETE FROM webhooks WHERE verification = $1`,
			`DELETE FROM sealed WHERE digest IN (SELECT purpose FROM attribute_requests WHERE verification = $1)`,
			`DELETE FROM sealed WHERE digest IN (SELECT decision FROM attribute_requests WHERE verification = $1)`,
			`DELETE FROM attribute_requests WHERE verification = $1`,
			`DELETE FROM verifications WHERE id = $1`,
		} {
			if _, err := tx.exec(statement, v.ID); err != nil {
				return 0, err
			}
		}
		if err := tx.dropRecord(v); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}
