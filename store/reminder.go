package store

import "time"

// Remind notes that a notice was given about a subject on an occasion ("expiry:1w",
// "lost:2"), and says whether it was the first: each is given once.
func (tx *Tx) Remind(subject, occasion string, at time.Time) (bool, error) {
	n, err := tx.exec(`INSERT INTO reminders (subject, occasion, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, subject, occasion, micros(at))
	return n == 1, err
}

// Reminded reports whether the notice was given.
func (tx *Tx) Reminded(subject, occasion string) (bool, error) {
	var n int64
	_, err := tx.one(`SELECT COUNT(*) FROM reminders WHERE subject = $1 AND occasion = $2`, []any{subject, occasion}, &n)
	return n > 0, err
}

// EndingCredentials returns up to limit active or held credentials that end after now
// and not after by, and about which no notice was given on the occasion, soonest first.
func (tx *Tx) EndingCredentials(now, by time.Time, occasion string, limit int) ([]Credential, error) {
	return list(tx.work, scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE state IN ('active', 'held') AND not_after > $1 AND not_after <= $2
		AND NOT EXISTS (SELECT 1 FROM reminders r WHERE r.subject = credentials.id AND r.occasion = $3)
		ORDER BY not_after, id LIMIT $4`, micros(now), micros(by), occasion, limit)
}

// StandingHolds returns up to limit holds for a reason that were put before an instant
// and stand, after the one named ("" for the first), in the order of their identifiers.
func (tx *Tx) StandingHolds(reason string, before time.Time, after string, limit int) ([]Hold, error) {
	return list(tx.work, scanHold, `SELECT `+holdColumns+` FROM holds
		WHERE lifted_at = 0 AND reason = $1 AND put_at < $2 AND id > $3 ORDER BY id LIMIT $4`, reason, micros(before), after, limit)
}
