package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"warifu"
)

//go:embed migrations/*.sql
var storeMigrations embed.FS

//go:embed ledgermigrations/*.sql
var ledgerMigrations embed.FS

// schema is one family of migrations, numbered from one without gaps, with the
// table that says how far a database has come. The tables differ so that a ledger is
// never opened as a registration database or the reverse.
type schema struct {
	files  embed.FS
	folder string
	table  string
}

var (
	storeSchema  = schema{storeMigrations, "migrations", "store_version"}
	ledgerSchema = schema{ledgerMigrations, "ledgermigrations", "ledger_version"}
)

// Migrate brings the registration database to this program's schema, making the
// SQLite file when there is none. Several servers may call it at once.
func Migrate(ctx context.Context, dsn string) error { return storeSchema.migrate(ctx, dsn) }

// MigrateLedger does the same for a certification authority's ledger.
func MigrateLedger(ctx context.Context, dsn string) error { return ledgerSchema.migrate(ctx, dsn) }

func (s schema) migrate(ctx context.Context, dsn string) error {
	src, err := parseDSN(dsn)
	if err != nil {
		return err
	}
	db, err := src.open(true)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(2) // goose keeps one for its lock
	p, err := s.provider(src, db)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return translate(err)
}

func (s schema) provider(src source, db *sql.DB) (*goose.Provider, error) {
	scripts, err := fs.Sub(s.files, s.folder)
	if err != nil {
		return nil, err
	}
	if src.isSQLite() {
		return goose.NewProvider(goose.DialectSQLite3, db, spoken{scripts, ofPostgres}, goose.WithTableName(s.table))
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, spoken{scripts, ofSQLite}, goose.WithTableName(s.table), goose.WithSessionLocker(locker))
}

// Migrations are written once for both databases, but where their languages have no
// sentence in common (triggers): then there is one file for each, under one number, named
// after it.
const (
	ofSQLite   = ".sqlite.sql"
	ofPostgres = ".postgres.sql"
)

// spoken is a folder of migrations without those of the other database.
type spoken struct {
	fs.FS
	other string
}

// ReadDir implements fs.ReadDirFS.
func (s spoken) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(s.FS, name)
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), s.other) }), err
}

// newest is the version that this program knows.
func (s schema) newest() (int64, error) {
	entries, err := spoken{s.files, ofPostgres}.ReadDir(s.folder)
	return int64(len(entries)), err
}

// require refuses a database whose schema is not exactly this program's:
// Unavailable "store-not-migrated" (older) or "store-too-new".
func (s schema) require(ctx context.Context, src source) error {
	db, err := src.open(false)
	if err != nil {
		return err
	}
	defer db.Close()
	have, err := s.version(ctx, db)
	if err != nil {
		return err
	}
	want, err := s.newest()
	switch {
	case err != nil:
		return err
	case have < want:
		return warifu.Unavailable("store-not-migrated")
	case have > want:
		return warifu.Unavailable("store-too-new")
	}
	return nil
}

func (s schema) version(ctx context.Context, db *sql.DB) (int64, error) {
	if err := db.PingContext(ctx); err != nil {
		return 0, warifu.Unavailable("store-unavailable").With(err)
	}
	var version int64
	err := db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+s.table).Scan(&version)
	var known *warifu.Error
	if errors.As(translate(err), &known) {
		return 0, known
	}
	if err != nil { // there is no such table: nothing was ever migrated
		return 0, nil
	}
	return version, nil
}

// open opens a database that has this schema.
func (s schema) open(ctx context.Context, dsn string) (engine, error) {
	src, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	if err := s.require(ctx, src); err != nil {
		return nil, err
	}
	return openEngine(src)
}
