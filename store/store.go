package store

import (
	"context"

	"warifu"
)

// Sealer is the key-encryption key of the sealed table: the keystore's key,
// which never leaves it. Each person's own data key is wrapped with it.
type Sealer interface {
	// Seal encrypts and authenticates plain, binding aad.
	Seal(plain, aad []byte) ([]byte, error)
	// Open is the inverse of Seal; it fails when either part was changed.
	Open(sealed, aad []byte) ([]byte, error)
	// Index returns a keyed digest of value, for looking values up without storing them.
	Index(value []byte) ([]byte, error)
}

// Store is the registration side's database. Its methods may be called from any
// goroutine.
type Store struct {
	engine engine
	seal   Sealer
	ids    *idMaker
}

// Open opens a migrated database: "sqlite:/path/to/file.db" or "postgres://…"
// (through pgbouncer add default_query_exec_mode=exec). Errors: Invalid
// "store-dsn"; NotFound "store-missing"; Unavailable "store-unavailable",
// "store-not-migrated", "store-too-new". The clock stamps identifiers only; every
// instant in a row is the caller's.
func Open(ctx context.Context, dsn string, seal Sealer, clock warifu.Clock) (*Store, error) {
	e, err := storeSchema.open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &Store{engine: e, seal: seal, ids: &idMaker{clock: clock}}, nil
}

// Close waits for transactions under way and closes the database.
func (s *Store) Close() error { return s.engine.close() }

// Ready reports whether the database answers, for /readyz.
func (s *Store) Ready(ctx context.Context) error {
	return s.Read(ctx, func(tx *Tx) error {
		var n int64
		_, err := tx.one("SELECT 1", nil, &n)
		return err
	})
}

// NewID makes an identifier that no other row has: 32 lower-case hexadecimal
// digits that sort in order of making within one process. It opens nothing by
// itself.
func (s *Store) NewID() string { return s.ids.next() }

// Write runs fn in a transaction that is durable when Write returns nil. Nothing
// of it remains when fn returns an error, panics, or when Write returns an error;
// after Unavailable "store-unavailable" the caller may try the whole again, and
// must expect to find it done (a connection lost at the commit cannot tell).
//
// fn may be run more than once: it must have no effect outside tx, and set rather
// than add to what it captured. It must be quick, since on SQLite everybody who
// writes waits for it, and must not call Write or Read itself. Where a method of
// tx returned an error of the database, nothing is committed even if fn returns
// nil. A move without its audit line is refused: see Tx.Audit.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error {
	var last *Tx
	err := s.engine.write(ctx, func(w *work) error {
		tx := &Tx{work: w, store: s}
		last = tx
		if err := fn(tx); err != nil {
			return err
		}
		return tx.finish()
	})
	if err != nil {
		return translate(err)
	}
	for _, f := range last.after {
		f()
	}
	return nil
}

// Read runs fn on one snapshot of the database; writing inside it is an error. It
// does not wait for writers, but for those whose commit it may have seen and whose
// follower is not told yet (FollowStatus).
func (s *Store) Read(ctx context.Context, fn func(*Tx) error) error {
	if err := s.engine.read(ctx, func(w *work) error { return fn(&Tx{work: w, store: s}) }); err != nil {
		return err
	}
	return s.engine.telling().settle(ctx)
}

// Tx is one transaction, valid until its closure returns and for one goroutine.
// Its methods' errors are *warifu.Error where a caller can act on them: NotFound
// "…-unknown", Conflict, TooLarge; anything else is a fault of the database or of ours.
type Tx struct {
	*work
	store   *Store
	moved   []deed
	audited map[deed]bool
	changes []warifu.StatusRecord
	changed []int64 // microseconds, beside changes
	sealed  *vault
	after   []func()
}

// NewID is Store.NewID.
func (tx *Tx) NewID() string { return tx.store.NewID() }

// AfterCommit runs f once the transaction is durable, on the goroutine that
// called Write; it is dropped with a transaction that is not. It wakes workers
// and followers, and may be lost in a crash: never the only way to anything.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// finish checks what must hold of every transaction and writes the status feed
// last of all.
func (tx *Tx) finish() error {
	if err := tx.usable(); err != nil {
		return err
	}
	for _, d := range tx.moved {
		if !tx.audited[d] {
			return &warifu.Error{Code: warifu.CodeInternal, Problem: "audit-missing",
				Params: map[string]string{"subject": d.subject, "verb": string(d.verb)}}
		}
	}
	return tx.appendFeed()
}
