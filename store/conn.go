package store

import (
	"context"
	"database/sql"
)

// preparedConn is one SQLite connection that keeps its statements prepared:
// parsing a statement costs as much as running it.
type preparedConn struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func openPrepared(ctx context.Context, db *sql.DB) (*preparedConn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{conn: c, statements: map[string]*sql.Stmt{}}, nil
}

func (p *preparedConn) statement(query string) (*sql.Stmt, error) {
	if s, ok := p.statements[query]; ok {
		return s, nil
	}
	s, err := p.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	p.statements[query] = s
	return s, nil
}

// ExecContext implements querier.
func (p *preparedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.statement(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements querier.
func (p *preparedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// do runs a statement of the transaction itself (BEGIN, SAVEPOINT, COMMIT …),
// never under a caller's context: an interrupted statement would end the
// transaction of everybody in it.
func (p *preparedConn) do(query string) error {
	cut(query)
	_, err := p.ExecContext(context.Background(), query)
	return err
}

// doAll does one after the other up to the first error.
func (p *preparedConn) doAll(queries []string) error {
	for _, q := range queries {
		if err := p.do(q); err != nil {
			return err
		}
	}
	return nil
}

func (p *preparedConn) close() error {
	for _, s := range p.statements {
		_ = s.Close()
	}
	return p.conn.Close()
}
