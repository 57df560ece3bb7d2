package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"warifu"
)

// translate makes Unavailable "store-unavailable" of an error of the machine
// beneath (disk full, failed flush, lost connection, lock not had in time) and
// leaves every other error as it is: those are ours or the caller's.
func translate(err error) error {
	var known *warifu.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if isFault(err) {
		return warifu.Unavailable("store-unavailable").With(err)
	}
	return err
}

// ofEnded is the context's own error where a transaction ended with its context: database/sql rolls
// it back beneath whoever is in it, and says sql.ErrTxDone to them and not why.
func ofEnded(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil && errors.Is(err, sql.ErrTxDone) {
		return ended
	}
	return err
}

// isFault reports whether err says that the storage failed, not the statement.
func isFault(err error) bool {
	if hasSQLiteFault(err) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return postgresFault(pg.Code)
	}
	var network net.Error
	var path *fs.PathError
	return errors.As(err, &network) || errors.As(err, &path) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

// hasSQLiteFault reports whether err carries a fault of SQLite's: its storage or
// its memory failed, or its lock was not to be had.
func hasSQLiteFault(err error) bool {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return false
	}
	switch lite.Code() & 0xff { // the primary result code
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT:
		return true
	}
	return false
}

// postgresFault knows the classes of SQLSTATE that speak of the server: 08
// connection, 25006 a standby, 53 resources (disk full), 57P shutdown, 58 I/O, XX corruption.
func postgresFault(state string) bool {
	if state == "25006" {
		return true
	}
	for _, class := range []string{"08", "53", "57P", "58", "XX"} {
		if strings.HasPrefix(state, class) {
			return true
		}
	}
	return false
}

// violationTries is how often a transaction that hit a constraint is run again.
const violationTries = 3

// losses counts what one transaction has lost against others.
type losses struct{ violations int }

// contended reports whether PostgreSQL asks for the transaction to be run again:
// serialization failure, deadlock, and a few times a violated constraint, since a
// rival's commit may show as a taken key where the snapshot had none. Violations are
// counted by themselves: whoever has lost often otherwise, where many write, must not
// be told of the first as if it were their own. One of our own comes back as the same error.
func (l *losses) contended(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	if strings.HasPrefix(pg.Code, "23") {
		l.violations++
		return l.violations <= violationTries
	}
	return pg.Code == "40001" || pg.Code == "40P01"
}
