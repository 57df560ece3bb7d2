package store

import (
	"context"
	"database/sql"
	"errors"

	"warifu"
)

// querier is what a transaction needs of a connection.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// engine runs closures in transactions: reading ones on a snapshot, writing ones
// durably. There is one for each dialect.
type engine interface {
	read(ctx context.Context, fn func(*work) error) error
	write(ctx context.Context, fn func(*work) error) error
	telling() *telling  // who is told of changed statuses
	skipLocked() string // the clause that lets rival leases pass each other, "" where there are no rivals
	close() error
}

func openEngine(src source) (engine, error) {
	db, err := src.open(false)
	if err != nil {
		return nil, err
	}
	if src.isSQLite() {
		return newGroupEngine(db), nil
	}
	return newRetryEngine(db), nil
}

var (
	errFinished = errors.New("store: the transaction has ended; its Tx must not be kept")
	errReadOnly = errors.New("store: a Read transaction cannot write")
)

// work is one closure's hold on a transaction. It remembers the first error of
// the database, and nothing is committed after one: PostgreSQL would refuse
// anyway, and SQLite must behave alike.
type work struct {
	ctx        context.Context
	q          querier
	readOnly   bool
	failed     error
	finished   bool
	statements int
	changes    []Change // of the status feed, numbered
}

func (w *work) usable() error {
	switch {
	case w.finished:
		return errFinished
	case w.failed != nil:
		return w.failed
	}
	return nil
}

func (w *work) fail(err error) error {
	if w.failed == nil {
		w.failed = translate(ofEnded(w.ctx, err))
	}
	return w.failed
}

// exec runs a statement and returns how many rows it touched.
func (w *work) exec(query string, args ...any) (int64, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	if w.readOnly {
		return 0, w.fail(errReadOnly)
	}
	w.statements++
	cut(query)
	r, err := w.q.ExecContext(w.ctx, query, args...)
	if err != nil {
		return 0, w.fail(err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, w.fail(err)
	}
	return n, nil
}

// scanner is a row to be read: *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// each hands every row to fn and stops at its first error.
func (w *work) each(fn func(scanner) error, query string, args ...any) error {
	if err := w.usable(); err != nil {
		return err
	}
	w.statements++
	cut(query)
	rows, err := w.q.QueryContext(w.ctx, query, args...)
	if err != nil {
		return w.fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return w.fail(err)
		}
	}
	if err := rows.Err(); err != nil {
		return w.fail(err)
	}
	return nil
}

// one scans the first row into dest and says whether there was one.
func (w *work) one(query string, args []any, dest ...any) (bool, error) {
	found := false
	err := w.each(func(s scanner) error {
		if found {
			return nil
		}
		found = true
		return s.Scan(dest...)
	}, query, args...)
	return found, err
}

// list collects what scan makes of every row.
func list[T any](w *work, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	var out []T
	err := w.each(func(s scanner) error {
		v, err := scan(s)
		if err == nil {
			out = append(out, v)
		}
		return err
	}, query, args...)
	return out, err
}

// only returns what scan makes of the single row, or missing.
func only[T any](w *work, missing *warifu.Error, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	rows, err := list(w, scan, query, args...)
	if err != nil {
		return none, err
	}
	if len(rows) == 0 {
		return none, missing
	}
	return rows[0], nil
}
