package store

import (
	"context"
	"time"

	"warifu"
)

const censusPage = 4096

// Known hands what may be said of every certificate of one authority to fn, in order of
// serial number, whatever its status, also those past their notAfter. It holds one page in
// memory at a time and stops at fn's first error.
func (tx *Tx) Known(kind warifu.Kind, fn func(warifu.StatusRecord) error) error {
	after := []byte{}
	for {
		page, err := list(tx.work, scanRecord, `SELECT `+recordColumns+` FROM credentials
			WHERE kind = $1 AND serial > $2 ORDER BY serial LIMIT $3`, int64(kind), after, censusPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(page) < censusPage {
			return nil
		}
		after = page[len(page)-1].Serial
	}
}

// Intended is a serial number that an authority gave away, and when: the instant whose
// day is the certificate's notBefore.
type Intended struct {
	Serial    []byte
	CreatedAt time.Time
}

// Serials returns up to limit serial numbers greater than one, in order: of every intent,
// signed or not. Pages are read one by one, so an intent that is written meanwhile may be
// in them or not.
func (l *Ledger) Serials(ctx context.Context, after []byte, limit int) ([]Intended, error) {
	if after == nil {
		after = []byte{} // NULL would be before nothing
	}
	var out []Intended
	err := l.engine.read(ctx, func(w *work) (err error) {
		out, err = list(w, func(s scanner) (Intended, error) {
			var in Intended
			err := s.Scan(&in.Serial, instant{&in.CreatedAt})
			return in, err
		}, `SELECT serial, created_at FROM intents WHERE serial > $1 ORDER BY serial LIMIT $2`, after, limit)
		return err
	})
	return out, err
}
