package store

import (
	"cmp"
	"slices"
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

// CardWord returns when the card bureau's newest word was spoken that touched an application
// or what was issued for it, by the bureau's clock; zero where none did.
func (tx *Tx) CardWord(application string) (time.Time, error) {
	var at time.Time
	_, err := tx.one(`SELECT at FROM application_words WHERE application = $1`, []any{application}, instant{&at})
	return at, err
}

// PutCardWord remembers that a word of that instant touched an application; an older one
// than is remembered leaves it as it is.
func (tx *Tx) PutCardWord(application string, at time.Time) error {
	_, err := tx.exec(`INSERT INTO application_words (application, at) VALUES ($1, $2)
		ON CONFLICT (application) DO UPDATE SET at = excluded.at WHERE application_words.at < excluded.at`, application, micros(at))
	return err
}

// CardToSweep is an application whose card still matters, with no more than a sweep needs
// of it: it is open, or has an active or held credential.
type CardToSweep struct {
	Application string
	Open        bool
	Person      warifu.Digest
	Kinds       []warifu.Kind // of its active and held credentials; of an open one those applied for
	// SignatureSerial and the certificates are the card's, as in Parent.
	SignatureSerial                                 []byte
	SignatureCertificate, AuthenticationCertificate warifu.Digest
	CardHeld                                        bool // a hold for the card's suspension stands on it or on one of its credentials
}

const (
	sweptColumns = `a.id, a.person, a.parent_signature_serial, a.parent_signature_certificate, a.parent_authentication_certificate`
	holdCard     = string(warifu.HoldCard)
)

func scanSwept(s scanner, more ...any) (c CardToSweep, err error) {
	err = s.Scan(append([]any{&c.Application, fixed{c.Person[:]}, &c.SignatureSerial, fixed{c.SignatureCertificate[:]}, fixed{c.AuthenticationCertificate[:]}}, more...)...)
	return c, err
}

// CardsToSweep returns up to limit applications behind an identifier, in order of it, whose
// card still matters. It takes four statements however many they are.
func (tx *Tx) CardsToSweep(after string, limit int) ([]CardToSweep, error) {
	out, err := list(tx.work, func(s scanner) (CardToSweep, error) {
		var sum int64 // of the kinds: there is at most one credential of each
		c, err := scanSwept(s, &sum)
		for _, kind := range warifu.Kinds {
			if sum&int64(kind) != 0 {
				c.Kinds = append(c.Kinds, kind)
			}
		}
		return c, err
	}, `SELECT `+sweptColumns+`, live.kinds FROM (
			SELECT application, CAST(SUM(kind) AS BIGINT) AS kinds FROM credentials WHERE state IN ('active', 'held') AND application > $1
			GROUP BY application ORDER BY application LIMIT $2) AS live
		JOIN applications a ON a.id = live.application ORDER BY a.id`, after, limit)
	if err != nil {
		return nil, err
	}
	open, err := list(tx.work, func(s scanner) (CardToSweep, error) {
		var applied []warifu.Kind
		c, err := scanSwept(s, kinds{&applied})
		c.Open, c.Kinds = true, applied
		return c, err
	}, `SELECT `+sweptColumns+`, a.kinds FROM applications a WHERE a.state IN ('submitted', 'issued') AND a.id > $1 ORDER BY a.id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	out = append(out, open...)
	slices.SortFunc(out, func(x, y CardToSweep) int { return cmp.Compare(x.Application, y.Application) })
	if out = out[:min(limit, len(out))]; len(out) == 0 {
		return nil, nil
	}
	held, err := tx.cardHeld(after, out[len(out)-1].Application)
	for i := range out {
		out[i].CardHeld = held[out[i].Application]
	}
	return out, err
}

// cardHeld returns the applications behind one identifier, up to another, on which or on
// whose credentials a hold for the card stands.
func (tx *Tx) cardHeld(after, last string) (map[string]bool, error) {
	held := map[string]bool{}
	note := func(s scanner) error {
		var id string
		err := s.Scan(&id)
		held[id] = true
		return err
	}
	err := tx.each(note, `SELECT c.application FROM credentials c JOIN holds h ON h.life = 'credential' AND h.subject = c.id AND h.reason = $1 AND h.lifted_at = 0
		WHERE c.state IN ('active', 'held') AND c.state = 'held' AND c.application > $2 AND c.application <= $3`, holdCard, after, last)
	if err != nil {
		return nil, err
	}
	return held, tx.each(note, `SELECT subject FROM holds WHERE life = 'application' AND reason = $1 AND lifted_at = 0 AND subject > $2 AND subject <= $3`,
		holdCard, after, last)
}

// CredentialsPast returns up to limit active and held credentials whose certificate's
// notAfter is before an instant, longest past first (R56).
func (tx *Tx) CredentialsPast(now time.Time, limit int) ([]Credential, error) {
	return list(tx.work, scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE state IN ('active', 'held') AND not_after < $1 ORDER BY not_after, id LIMIT $2`, micros(now), limit)
}
