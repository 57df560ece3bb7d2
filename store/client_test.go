package store_test

import (
	"fmt"
	"testing"
	"time"

	"warifu/store"
)

func TestAClientIsNumberedChangedAndRemovedForGood(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		insert := func(name string, at time.Time) (c store.Client) {
			w.write(func(tx *store.Tx) (err error) {
				c, err = tx.InsertClient(store.Client{Entry: []byte(`{"name":"` + name + `"}`), Key: digest("key " + name), Token: digest("token " + name), At: at})
				return err
			})
			return c
		}
		bank, shop := insert("bank", base), insert("shop", base.Add(time.Minute))
		equal(t, "first", bank.ID, "RP00000001")
		equal(t, "second", shop.ID, "RP00000002")
		w.read(func(tx *store.Tx) error {
			got, err := tx.Client(bank.ID)
			must(t, err)
			equal(t, "as it was written", fmt.Sprint(got), fmt.Sprint(bank))
			all, err := tx.Clients(0, 10)
			must(t, err)
			equal(t, "all", fmt.Sprint(all), fmt.Sprint([]store.Client{bank, shop}))
			rest, err := tx.Clients(1, 10)
			must(t, err)
			equal(t, "beyond the first", fmt.Sprint(rest), fmt.Sprint([]store.Client{shop}))
			return nil
		})
		bank.Entry, bank.Key, bank.Token, bank.ChangedAt = []byte(`{}`), digest("new key"), digest("new token"), base.Add(time.Hour)
		w.write(func(tx *store.Tx) error { return tx.ChangeClient(bank) })
		w.write(func(tx *store.Tx) error { return tx.EndClient(shop.ID, base.Add(time.Hour)) })
		third := insert("third", base)
		equal(t, "a number is not given again", third.ID, "RP00000003")
		w.write(func(tx *store.Tx) error {
			got, err := tx.Client(bank.ID)
			must(t, err)
			equal(t, "changed", fmt.Sprint(got), fmt.Sprint(bank))
			n, err := tx.CountClients()
			must(t, err)
			equal(t, "registered", n, int64(2))
			_, err = tx.Client(shop.ID)
			wantProblem(t, err, "client-unknown")
			wantProblem(t, tx.ChangeClient(shop), "client-unknown")
			wantProblem(t, tx.EndClient(shop.ID, base), "client-unknown")
			return nil
		})
	})
}
