package store

import (
	"time"

	"warifu"
)

// Change is one entry of the status feed. Numbers begin at 1 and have no gaps, so
// that a follower who misses one knows it and stops (design §7).
type Change struct {
	Number int64
	At     time.Time // when the move was made
	Record warifu.StatusRecord
}

// announce keeps a change until finish numbers it.
func (tx *Tx) announce(r warifu.StatusRecord, at time.Time) {
	tx.changes = append(tx.changes, r)
	tx.changed = append(tx.changed, micros(at))
}

// appendFeed takes numbers from the counter row as the last thing the transaction
// does: whoever holds the row commits before the next number is taken, so numbers
// appear in commit order.
func (tx *Tx) appendFeed() error {
	if len(tx.changes) == 0 {
		return nil
	}
	last, err := tx.count("status_feed", int64(len(tx.changes)))
	if err != nil {
		return err
	}
	first := last - int64(len(tx.changes)) + 1
	for i, r := range tx.changes {
		_, err := tx.exec(`INSERT INTO status_feed (number, kind, serial, cert_status, status_reason, status_at, not_after, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, first+int64(i), int64(r.Kind), r.Serial, int64(r.Status.Cert),
			int64(r.Status.Reason), micros(r.Status.RevokedAt), micros(r.NotAfter), tx.changed[i])
		if err != nil {
			return err
		}
		tx.work.changes = append(tx.work.changes, Change{Number: first + int64(i), At: time.UnixMicro(tx.changed[i]).UTC(), Record: r})
	}
	return nil
}

// count adds n to a counter row and returns its value then.
func (tx *Tx) count(name string, n int64) (int64, error) {
	if tx.readOnly {
		return 0, tx.fail(errReadOnly)
	}
	var value int64
	found, err := tx.one(`UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value`, []any{n, name}, &value)
	if err == nil && !found {
		err = tx.fail(errIncomplete)
	}
	return value, err
}

// StatusFeed returns up to limit changes after a number, in order.
func (tx *Tx) StatusFeed(after int64, limit int) ([]Change, error) {
	return list(tx.work, func(s scanner) (Change, error) {
		var c Change
		r := &c.Record
		err := s.Scan(&c.Number, &r.Kind, &r.Serial, &r.Status.Cert, &r.Status.Reason, instant{&r.Status.RevokedAt},
			instant{&r.NotAfter}, instant{&c.At})
		return c, err
	}, `SELECT number, kind, serial, cert_status, status_reason, status_at, not_after, at FROM status_feed
		WHERE number > $1 ORDER BY number LIMIT $2`, after, limit)
}

// FeedHead returns the newest number of the status feed, 0 where there is none.
// Inside one Read it belongs to the same snapshot as Revoked and StatusOf.
func (tx *Tx) FeedHead() (int64, error) {
	var n int64
	_, err := tx.one(`SELECT value FROM counters WHERE name = 'status_feed'`, nil, &n)
	return n, err
}

func scanRecord(s scanner) (warifu.StatusRecord, error) {
	var r warifu.StatusRecord
	err := s.Scan(&r.Kind, &r.Serial, &r.Status.Cert, &r.Status.Reason, instant{&r.Status.RevokedAt}, instant{&r.NotAfter})
	return r, err
}

const recordColumns = `kind, serial, cert_status, status_reason, status_at, not_after`

// StatusOf returns what may be said of a serial number; false when its authority
// never issued it. A credential that was never activated is known, and its status unknown.
func (tx *Tx) StatusOf(kind warifu.Kind, serial []byte) (warifu.StatusRecord, bool, error) {
	rows, err := list(tx.work, scanRecord,
		`SELECT `+recordColumns+` FROM credentials WHERE kind = $1 AND serial = $2`, int64(kind), serial)
	if err != nil || len(rows) == 0 {
		return warifu.StatusRecord{}, false, err
	}
	return rows[0], true, nil
}

const revokedPage = 1000

// Revoked hands every revoked or held certificate of one authority to fn, in order
// of serial number, also those past their notAfter: RFC 5280 §3.3 keeps an entry
// on one CRL beyond the certificate's end, so the caller chooses. It holds one page
// in memory at a time and stops at fn's first error.
func (tx *Tx) Revoked(kind warifu.Kind, fn func(warifu.StatusRecord) error) error {
	after := []byte{}
	for {
		page, err := list(tx.work, scanRecord, `SELECT `+recordColumns+` FROM credentials
			WHERE kind = $1 AND cert_status = 2 AND serial > $2 ORDER BY serial LIMIT $3`, int64(kind), after, revokedPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(page) < revokedPage {
			return nil
		}
		after = page[len(page)-1].Serial
	}
}
