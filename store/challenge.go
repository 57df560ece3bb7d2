package store

import (
	"time"

	"warifu"
)

// UseChallenge marks the digest of a challenge as used, once and for all until it
// expires; Conflict "challenge-used" the second time. Whether it was ours and
// young enough is for attest.CheckChallenge.
func (tx *Tx) UseChallenge(challenge warifu.Digest, expires time.Time) error {
	n, err := tx.exec(`INSERT INTO challenges (challenge, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		challenge[:], micros(expires))
	if err == nil && n == 0 {
		err = warifu.Conflict("challenge-used")
	}
	return err
}

// PurgeChallenges forgets challenges that expired before now and returns how many.
func (tx *Tx) PurgeChallenges(now time.Time) (int64, error) {
	return tx.exec(`DELETE FROM challenges WHERE expires < $1`, micros(now))
}
