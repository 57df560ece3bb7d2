package store

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"warifu"
)

// source is a parsed data source name.
type source struct {
	driver string // of database/sql: "sqlite" or "pgx"
	name   string // as that driver wants it
	path   string // of the SQLite file
}

// sqlitePragmas make a commit durable (WAL with a flush at every commit), let
// foreign keys bind, overwrite what is deleted (an erased person's key must not
// linger in a free page), and wait for another process's write instead of failing.
// The last three are for groups of writes: savepoints kept in memory (a quarter of
// the time otherwise), 8 MiB of pages at most for each connection, and a checkpoint
// every 16 MiB of log.
var sqlitePragmas = []string{
	"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)",
	"temp_store(MEMORY)", "cache_size(-8192)", "wal_autocheckpoint(4096)",
}

// parseDSN understands "sqlite:/path/to/file.db", "postgres://…" and
// "postgresql://…"; anything else is Invalid "store-dsn".
func parseDSN(dsn string) (source, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok && path != "" && !strings.ContainsAny(path, "?\x00") {
		abs, err := filepath.Abs(path)
		if err != nil {
			return source{}, warifu.Invalid("store-dsn").With(err)
		}
		query := url.Values{"_pragma": sqlitePragmas}
		name := (&url.URL{Scheme: "file", Path: abs, RawQuery: query.Encode()}).String()
		return source{driver: "sqlite", name: name, path: abs}, nil
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return source{driver: "pgx", name: dsn}, nil
	}
	return source{}, warifu.Invalid("store-dsn")
}

func (s source) isSQLite() bool { return s.path != "" }

// open opens the pool; create makes a missing SQLite file, readable by its owner
// alone. Without create a missing file is NotFound "store-missing", so that a
// mistyped path never becomes an empty authority.
func (s source) open(create bool) (*sql.DB, error) {
	if s.isSQLite() {
		if err := s.touch(create); err != nil {
			return nil, err
		}
	}
	return sql.Open(s.driver, s.name)
}

func (s source) touch(create bool) error {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(s.path, flags, 0o600)
	if os.IsNotExist(err) && !create {
		return warifu.NotFound("store-missing").With(err)
	}
	if err != nil {
		return warifu.Unavailable("store-unavailable").With(err)
	}
	return f.Close()
}
