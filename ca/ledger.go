package ca

import (
	"context"
	"time"

	"warifu"
)

// Ledger is where an authority writes what it is about to sign, and what it signed.
// It is the authority's own: nobody else writes to it. Every method is durable when it
// returns nil.
type Ledger interface {
	// Intend records all intents in one commit and answers each, in order. For a
	// document identity and public key already recorded together the answer is the intent
	// that stands, with its certificate if there is one. A document seen with another
	// key is Conflict "document-seen"; a key seen with another document Conflict
	// "key-seen"; a serial number taken Conflict "serial-seen", and another one may be tried.
	Intend(ctx context.Context, intents []warifu.Intent) ([]warifu.IntentResult, error)
	// Record sets the certificates of recorded intents in one commit: each only where
	// none is set, or the same one.
	Record(ctx context.Context, certificates []warifu.IssuedCertificate) error
	// Unfinished lists the next intents behind one (zero: from the beginning) that were
	// created before the instant and have no certificate, oldest first; none at the end.
	Unfinished(ctx context.Context, before time.Time, behind warifu.Intent) ([]warifu.Intent, error)
	// Size returns how many entries the ledger has: an intent is one, its certificate another.
	Size(ctx context.Context) (int64, error)
}
