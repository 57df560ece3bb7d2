package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"warifu"
)

//go:embed migrations/*.sql
var storeMigrations embed.FS

//go:embed ledgermigrations/*.sql
var ledgerMigrations embed.FS

// Migrate brings the registration database to this program's schema, making the
// SQLite file when there is none. Several servers may call it at once.
func Migrate(ctx context.Context, dsn string) error {
	return migrate(ctx, dsn, storeMigrations, "migrations")
}

// MigrateLedger does the same for a certification authority's ledger.
func MigrateLedger(ctx context.Context, dsn string) error {
	return migrate(ctx, dsn, ledgerMigrations, "ledgermigrations")
}

func migrate(ctx context.Context, dsn string, files embed.FS, folder string) error {
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
	p, err := newProvider(src, db, files, folder)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return translate(err)
}

func newProvider(src source, db *sql.DB, files embed.FS, folder string) (*goose.Provider, error) {
	scripts, err := fs.Sub(files, folder)
	if err != nil {
		return nil, err
	}
	if src.isSQLite() {
		return goose.NewProvider(goose.DialectSQLite3, db, scripts)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, scripts, goose.WithSessionLocker(locker))
}

// requireMigrated refuses a database whose schema is not exactly this program's:
// Unavailable "store-not-migrated" (older) or "store-too-new".
func requireMigrated(ctx context.Context, dsn string, files embed.FS, folder string) error {
	src, err := parseDSN(dsn)
	if err != nil {
		return err
	}
	db, err := src.open(false)
	if err != nil {
		return err
	}
	defer db.Close()
	have, err := schemaVersion(ctx, db)
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return err
	}
	switch want := int64(len(entries)); { // numbered from one without gaps; a test says so
	case have < want:
		return warifu.Unavailable("store-not-migrated")
	case have > want:
		return warifu.Unavailable("store-too-new")
	}
	return nil
}

func schemaVersion(ctx context.Context, db *sql.DB) (int64, error) {
	if err := db.PingContext(ctx); err != nil {
		return 0, warifu.Unavailable("store-unavailable").With(err)
	}
	var version int64
	err := db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&version)
	var known *warifu.Error
	if errors.As(translate(err), &known) {
		return 0, known
	}
	if err != nil { // there is no such table: nothing was ever migrated
		return 0, nil
	}
	return version, nil
}
