package store

import "time"

// This file reads what will fall due, for whoever shows a calendar or moves the
// sandbox's clock. Nothing here changes anything.

// WaitingJobs returns up to limit jobs that are ready and fall due after an instant,
// soonest first.
func (tx *Tx) WaitingJobs(after time.Time, limit int) ([]Job, error) {
	return list(tx.work, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE state = 'ready' AND due_at > $1 ORDER BY due_at, id LIMIT $2`, micros(after), limit)
}

// HoldsUntil returns up to limit standing holds that end by themselves after an instant,
// soonest first.
func (tx *Tx) HoldsUntil(after time.Time, limit int) ([]Hold, error) {
	return list(tx.work, scanHold, `SELECT `+holdColumns+` FROM holds
		WHERE lifted_at = 0 AND until > $1 ORDER BY until, id LIMIT $2`, micros(after), limit)
}

// CredentialsByEnd returns up to limit active and held credentials, soonest end first.
func (tx *Tx) CredentialsByEnd(limit int) ([]Credential, error) {
	return list(tx.work, scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE state IN ('active', 'held') ORDER BY not_after, id LIMIT $1`, limit)
}

// IssuedApplications returns up to limit applications that wait to be fetched, in order
// of issue.
func (tx *Tx) IssuedApplications(limit int) ([]Application, error) {
	return list(tx.work, scanApplication, `SELECT `+applicationColumns+` FROM applications
		WHERE state = 'issued' ORDER BY issued_at, id LIMIT $1`, limit)
}
