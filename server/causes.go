package server

import (
	"context"
	"errors"

	"warifu"
	"warifu/registration"
	"warifu/store"
)

// Causes reads from the registration authority's audit trail why something is as it is:
// the trees of causes in which the subject stands (registration.Causes). It needs the
// database and no key: what is sealed stays sealed. It may be asked while servers run.
func Causes(ctx context.Context, c Config, subject string) (trees []registration.Cause, err error) {
	s, err := store.Open(ctx, c.dsn(c.Store.DSN), nil, warifu.SystemClock{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return registration.Causes(ctx, s, subject)
}
