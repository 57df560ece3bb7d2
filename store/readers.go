package store

import (
	"context"
	"database/sql"
	"sync"
)

// readers is the pool of SQLite connections that read. In WAL mode each sees the
// snapshot of the moment its transaction began and waits for nobody.
type readers struct {
	db      *sql.DB
	slots   chan struct{} // a place for each connection that may exist
	closing chan struct{}
	mu      sync.Mutex
	idle    []*preparedConn
}

func newReaders(db *sql.DB, n int) *readers {
	return &readers{db: db, slots: make(chan struct{}, n), closing: make(chan struct{})}
}

func (r *readers) read(ctx context.Context, fn func(*work) error) error {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closing:
		return errClosed
	}
	defer func() { <-r.slots }()
	conn, err := r.take(ctx)
	if err != nil {
		return translate(err)
	}
	sound := false
	defer func() { r.give(conn, sound) }()
	if err := conn.do("BEGIN"); err != nil {
		return translate(err)
	}
	err = runReading(ctx, conn, fn)
	sound = conn.do("ROLLBACK") == nil // nothing was written; also after an interrupted statement
	return err
}

// runReading runs fn on q and makes its work unusable afterwards.
func runReading(ctx context.Context, q querier, fn func(*work) error) error {
	w := &work{ctx: ctx, q: q, readOnly: true}
	defer func() { w.finished = true }()
	if err := fn(w); err != nil {
		return translate(err)
	}
	return w.failed
}

func (r *readers) take(ctx context.Context) (*preparedConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return c, nil
	}
	return openPrepared(ctx, r.db)
}

func (r *readers) give(c *preparedConn, sound bool) {
	if !sound {
		_ = c.close()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, c)
}

// close waits for the readers that are out and closes every connection; nobody
// reads afterwards.
func (r *readers) close() {
	close(r.closing)
	for range cap(r.slots) {
		r.slots <- struct{}{}
	}
	for _, c := range r.idle {
		_ = c.close()
	}
	r.idle = nil
}
