package store

import (
	"crypto/subtle"
	"time"

	"warifu"
)

const suspensionLabel = "warifu-suspension-code-v1"

// PutSuspensionCode keeps an application's suspension code; an older one of the
// application opens nothing from then on. Only a keyed digest is written: whoever reads
// the database learns no code, and cannot try codes against it.
func (tx *Tx) PutSuspensionCode(application, code string, at time.Time) error {
	index, err := tx.suspensionIndex(code)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO suspension_codes (application, code, at) VALUES ($1, $2, $3)
		ON CONFLICT (application) DO UPDATE SET code = excluded.code, at = excluded.at`, application, index, micros(at))
	return err
}

// SuspensionCodeMade returns when an application's code was made; zero where it has none.
func (tx *Tx) SuspensionCodeMade(application string) (time.Time, error) {
	var at time.Time
	_, err := tx.one(`SELECT at FROM suspension_codes WHERE application = $1`, []any{application}, instant{&at})
	return at, err
}

// ApplicationOfSuspensionCode returns the identifier of the application whose code this
// is, or NotFound "suspension-code-unknown". The database compares keyed digests, so
// the time it takes tells nothing about any code.
func (tx *Tx) ApplicationOfSuspensionCode(code string) (string, error) {
	index, err := tx.suspensionIndex(code)
	if err != nil {
		return "", err
	}
	var application string
	var kept []byte
	found, err := tx.one(`SELECT application, code FROM suspension_codes WHERE code = $1`, []any{index}, &application, &kept)
	if err != nil {
		return "", err
	}
	if !found || subtle.ConstantTimeCompare(kept, index) != 1 {
		return "", warifu.NotFound("suspension-code-unknown")
	}
	return application, nil
}

func (tx *Tx) suspensionIndex(code string) ([]byte, error) {
	index, err := tx.store.seal.Index(append([]byte(suspensionLabel+"\x00"), code...))
	if err != nil {
		return nil, tx.fail(err)
	}
	return index, nil
}
