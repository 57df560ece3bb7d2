package store

import (
	"context"

	"warifu"
)

// OpenThrough is Open of a SQLite database through another registered driver, so
// that tests can make it fail.
func OpenThrough(ctx context.Context, driver, dsn string, seal Sealer, clock warifu.Clock) (*Store, error) {
	src, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	src.driver = driver
	e, err := openEngine(src)
	if err != nil {
		return nil, err
	}
	return &Store{engine: e, seal: seal, ids: &idMaker{clock: clock}}, nil
}

// CheckDSN parses a data source name and says whether it was accepted and for SQLite.
func CheckDSN(dsn string) (accepted, isSQLite bool) {
	src, err := parseDSN(dsn)
	return err == nil, src.isSQLite()
}
