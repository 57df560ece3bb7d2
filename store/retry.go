package store

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
)

// retryEngine is the PostgreSQL engine: a serializable transaction for every
// closure, run again when it lost against another. Whoever lost runs again alone in
// this process, so that it can lose only to other servers and nobody starves.
type retryEngine struct {
	db     *sql.DB
	room   sync.RWMutex // shared by first tries, held alone by further ones
	closed atomic.Bool
	tell   telling
}

const (
	postgresConns = 16 // each server's share of the primary's connections
	writeTries    = 40
	writePause    = 2 * time.Millisecond // longest before the second try; grows with each
)

func newRetryEngine(db *sql.DB) *retryEngine {
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	return &retryEngine{db: db}
}

func (e *retryEngine) telling() *telling { return &e.tell }

func (e *retryEngine) skipLocked() string { return " FOR UPDATE SKIP LOCKED" }

func (e *retryEngine) read(ctx context.Context, fn func(*work) error) error {
	tx, err := e.begin(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return runReading(ctx, tx, fn)
}

// write waits in the end for what other transactions are just telling: its answer may
// come of what they did.
func (e *retryEngine) write(ctx context.Context, fn func(*work) error) error {
	err := e.writeAgain(ctx, fn)
	_ = e.tell.settle(ctx) // whoever gave up has no answer to wait with
	return err
}

func (e *retryEngine) writeAgain(ctx context.Context, fn func(*work) error) error {
	var lost losses
	err := e.firstTry(ctx, fn)
	if !lost.contended(err) {
		return translate(err)
	}
	e.room.Lock()
	defer e.room.Unlock()
	for tries := 2; tries <= writeTries; tries++ {
		if err := pause(ctx, tries); err != nil {
			return err
		}
		if err = e.attempt(ctx, fn); !lost.contended(err) {
			return translate(err)
		}
	}
	return warifu.Unavailable("store-busy").With(err)
}

func (e *retryEngine) firstTry(ctx context.Context, fn func(*work) error) error {
	e.room.RLock()
	defer e.room.RUnlock()
	return e.attempt(ctx, fn)
}

// pause waits before a further try: longer each time, and a random share of it, so
// that servers that collided once do not collide again.
func pause(ctx context.Context, try int) error {
	limit := writePause * time.Duration(min(try-1, 25))
	select {
	case <-time.After(rand.N(limit)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *retryEngine) attempt(ctx context.Context, fn func(*work) error) error {
	tx, err := e.begin(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // no effect after a commit; needed after a panic
	w := &work{ctx: ctx, q: tx}
	defer func() { w.finished = true }()
	if err := fn(w); err != nil {
		if w.failed != nil {
			return w.failed // whatever the closure made of it
		}
		return err
	}
	if w.failed != nil {
		return w.failed
	}
	cut("COMMIT")
	if len(w.changes) > 0 {
		end := e.tell.begin()
		err = tx.Commit()
		end(w.changes, err)
	} else {
		err = tx.Commit()
	}
	cut("after COMMIT")
	return ofEnded(ctx, err)
}

func (e *retryEngine) begin(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error) {
	if e.closed.Load() {
		return nil, errClosed
	}
	cut("BEGIN")
	tx, err := e.db.BeginTx(ctx, options)
	return tx, translate(err)
}

func (e *retryEngine) close() error {
	e.closed.Store(true)
	return e.db.Close()
}
