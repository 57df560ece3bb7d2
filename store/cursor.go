package store

import (
	"time"

	"warifu"
)

// Cursor returns the position that SetCursor wrote last under the name, "" where there
// is none.
func (tx *Tx) Cursor(name string) (string, error) {
	var position string
	_, err := tx.one(`SELECT position FROM cursors WHERE name = $1`, []any{name}, &position)
	return position, err
}

// SetCursor remembers how far a follower or a sweep has come. Written in the transaction
// that did what lies before, it makes doing it exactly once.
func (tx *Tx) SetCursor(name, position string, at time.Time) error {
	_, err := tx.exec(`INSERT INTO cursors (name, position, at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET position = excluded.position, at = excluded.at`, name, position, micros(at))
	return err
}

// CardWord returns when the card bureau's newest word about a person was spoken that was
// followed here, by the bureau's clock; zero where none was.
func (tx *Tx) CardWord(person warifu.Digest) (time.Time, error) {
	var at time.Time
	_, err := tx.one(`SELECT at FROM card_words WHERE person = $1`, []any{person[:]}, instant{&at})
	return at, err
}

// PutCardWord remembers that a word of that instant was followed; an older one than is
// remembered leaves it as it is.
func (tx *Tx) PutCardWord(person warifu.Digest, at time.Time) error {
	_, err := tx.exec(`INSERT INTO card_words (person, at) VALUES ($1, $2)
		ON CONFLICT (person) DO UPDATE SET at = excluded.at WHERE card_words.at < excluded.at`, person[:], micros(at))
	return err
}

// ApplicationsToSweep returns up to limit applications behind an identifier, in order of
// it, that are open or have an active or held credential: those whose card still matters.
func (tx *Tx) ApplicationsToSweep(after string, limit int) ([]Application, error) {
	return list(tx.work, scanApplication, `SELECT `+applicationColumns+` FROM applications WHERE id IN (
		SELECT application FROM (
			SELECT application FROM credentials WHERE state IN ('active', 'held') AND application > $1
			UNION SELECT id FROM applications WHERE state IN ('submitted', 'issued') AND id > $1
			ORDER BY 1 LIMIT $2) AS swept) ORDER BY id`, after, limit)
}

// CredentialsPast returns up to limit active and held credentials whose certificate's
// notAfter is before an instant, longest past first (R56).
func (tx *Tx) CredentialsPast(now time.Time, limit int) ([]Credential, error) {
	return list(tx.work, scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE state IN ('active', 'held') AND not_after < $1 ORDER BY not_after, id LIMIT $2`, micros(now), limit)
}
