package store

import (
	"context"

	"warifu"
)

// Find returns the intent that stands for an application document and kind, with its
// certificate if recorded, and whether there is one: for who must know what an
// authority did for an application that has ended meanwhile.
func (l *Ledger) Find(ctx context.Context, document warifu.Digest, kind warifu.Kind) (warifu.Intent, bool, error) {
	var out []warifu.Intent
	err := l.engine.read(ctx, func(w *work) (err error) {
		out, err = l.begin(w).intents(`WHERE i.document = $1 AND i.kind = $2`, document[:], int64(kind))
		return err
	})
	if err != nil || len(out) == 0 {
		return warifu.Intent{}, false, translate(err)
	}
	return out[0], true, nil
}
