package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"

	"warifu"
)

// telling sees to it that nobody of this process learns of a change of a certificate's status
// before whoever keeps the statuses in memory was told of it. A transaction with such changes is
// in the open from before its commit until its follower has been told; whoever has read from the
// database, and may have seen what it did, waits for those that are in the open then.
type telling struct {
	follower atomic.Pointer[func([]Change)]
	mu       sync.Mutex
	open     map[chan struct{}]bool
}

// begin opens a passage, from before a commit with changes on. The function it returns
// ends it: it tells the follower, of none where it is not known whether they were committed.
func (t *telling) begin() (end func(changes []Change, err error)) {
	follower := t.follower.Load()
	if follower == nil {
		return func([]Change, error) {}
	}
	passage := make(chan struct{})
	t.mu.Lock()
	if t.open == nil {
		t.open = map[chan struct{}]bool{}
	}
	t.open[passage] = true
	t.mu.Unlock()
	return func(changes []Change, err error) {
		defer func() {
			t.mu.Lock()
			delete(t.open, passage)
			t.mu.Unlock()
			close(passage)
		}()
		var refused *pgconn.PgError
		switch {
		case err == nil:
			(*follower)(changes)
		case !errors.As(err, &refused): // the line was lost at the commit
			(*follower)(nil)
		}
	}
}

// settle waits for the passages that are open now.
func (t *telling) settle(ctx context.Context) error {
	t.mu.Lock()
	waiting := make([]chan struct{}, 0, len(t.open))
	for passage := range t.open {
		waiting = append(waiting, passage)
	}
	t.mu.Unlock()
	for _, passage := range waiting {
		select {
		case <-passage:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// FollowStatus has f told of the changes of each transaction of this process that made any,
// numbered and after it is durable, before Write returns and before anything that a Read or another
// Write has seen of them is returned. On SQLite the changes come in order; on PostgreSQL they may
// come in any, from several goroutines, and there may be changes of other servers between them. No
// changes say that some may have been committed or not: the connection was lost over it. f reads the
// feed with StatusSince, and with nothing else of the store. Call it before anything is written.
func (s *Store) FollowStatus(f func(changes []Change)) { s.engine.telling().follower.Store(&f) }

// StatusSince is Tx.StatusFeed by itself, for whoever follows the feed: it waits for nobody
// who is being told.
func (s *Store) StatusSince(ctx context.Context, after int64, limit int) (changes []Change, err error) {
	err = s.engine.read(ctx, func(w *work) error {
		changes, err = (&Tx{work: w, store: s}).StatusFeed(after, limit)
		return err
	})
	return changes, err
}

// StatusCensus hands every certificate that is good, revoked or held to fn, of both authorities
// and in no order, in constant memory, and returns the newest change of the feed at that moment.
func (s *Store) StatusCensus(ctx context.Context, fn func(warifu.StatusRecord) error) (newest Change, err error) {
	err = s.engine.read(ctx, func(w *work) error {
		tx := &Tx{work: w, store: s}
		head, err := tx.FeedHead()
		if err != nil {
			return err
		}
		changes, err := tx.StatusFeed(head-1, 1)
		if err != nil {
			return err
		}
		if len(changes) == 1 {
			newest = changes[0]
		}
		return w.each(func(s scanner) error {
			r, err := scanRecord(s)
			if err != nil {
				return err
			}
			return fn(r)
		}, `SELECT `+recordColumns+` FROM credentials WHERE cert_status IN (1, 2)`)
	})
	return newest, err
}
