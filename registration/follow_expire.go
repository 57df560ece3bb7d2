package registration

import (
	"context"

	"warifu"
	"warifu/store"
)

// expireAtOnce is how many credentials one transaction expires.
const expireAtOnce = 100

// Expire takes every credential past its notAfter to its end (R56) and returns how many;
// it is called from a timer. A signature made before stays what it was: expiry changes
// nothing in a certificate's status.
func (a *Authority) Expire(ctx context.Context) (int, error) {
	expired := 0
	for {
		var some int
		err := a.Store.Write(ctx, func(tx *store.Tx) error {
			past, err := tx.CredentialsPast(a.Clock.Now(), expireAtOnce)
			if err != nil {
				return err
			}
			for _, c := range past {
				if _, _, err := a.endCredential(tx, c, warifu.VerbExpire, 0, actorHouse, "R56"); err != nil {
					return err
				}
			}
			some = len(past)
			return nil
		})
		if err != nil {
			return expired, err
		}
		if expired += some; some < expireAtOnce {
			return expired, nil
		}
	}
}
