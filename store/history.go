package store

import (
	"time"

	"warifu"
)

// NextCRLNumber takes the next number for a list of that authority and returns it with
// the newest number of the status feed. It is the microseconds from 1970 to now, and
// more than every number taken before, by whichever server (RFC 5280 §5.2.3): a clock
// that was put back, or a database that was, lets it grow all the same. Of two that were
// taken, the greater came with no lesser number of the feed.
func (tx *Tx) NextCRLNumber(kind warifu.Kind, now time.Time) (number, feed int64, err error) {
	if tx.readOnly {
		return 0, 0, tx.fail(errReadOnly)
	}
	found, err := tx.one(`UPDATE counters SET value = CASE WHEN value < $1 THEN $1 ELSE value + 1 END WHERE name = $2 RETURNING value`,
		[]any{micros(now), "crl_" + kind.String()}, &number)
	if err == nil && !found {
		err = tx.fail(errIncomplete)
	}
	if err != nil {
		return 0, 0, err
	}
	feed, err = tx.FeedHead()
	return number, feed, err
}

// StatusHistory returns every change of a certificate's status, oldest first: Number is
// the step of its life and At when it was made. False when its authority never issued
// the serial number; none where it was never activated, held or revoked.
func (tx *Tx) StatusHistory(kind warifu.Kind, serial []byte) ([]Change, bool, error) {
	found, err := list(tx.work, scanCredential, `SELECT `+credentialColumns+` FROM credentials WHERE kind = $1 AND serial = $2`, int64(kind), serial)
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	c := found[0]
	moves, err := tx.Moves(c.ID)
	if err != nil {
		return nil, false, err
	}
	var out []Change
	now := c.record()
	now.Status = warifu.Status{}
	for _, m := range moves {
		// A revocation's reason is not in the move. It is the last change there is.
		status := statusAfter(now.Status, m.Verb, c.Status.Reason, m.At)
		if status != now.Status {
			now.Status = status
			out = append(out, Change{Number: m.Seq, At: m.At, Record: now})
		}
	}
	return out, true, nil
}
