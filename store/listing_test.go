package store_test

import (
	"fmt"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

// listing writes a question of the flea market about a chip.
func (w *world) listing(id string, chip byte, at time.Time) store.Listing {
	w.t.Helper()
	l := store.Listing{ID: id, Party: "flea", Element: warifu.ElementID{chip}, Nonce: []byte("nonce of " + id), State: "waiting", Answer: []byte{}, At: at, Expires: at.Add(time.Hour)}
	w.write(func(tx *store.Tx) error { return tx.InsertListing(l) })
	return l
}

func TestAListingComesBackAsItWasAskedAndIsDecidedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		l := w.listing("l1", 1, base)
		decide := func(state string, answer []byte, at time.Time) (open bool) {
			w.write(func(tx *store.Tx) (err error) {
				open, err = tx.DecideListing("l1", state, answer, at)
				return err
			})
			return open
		}
		w.read(func(tx *store.Tx) error {
			got, err := tx.Listing("l1")
			must(t, err)
			asked, err := tx.ListingAsked("flea", l.Element, l.Nonce)
			must(t, err)
			if fmt.Sprint(got) != fmt.Sprint(l) || fmt.Sprint(asked) != fmt.Sprint(l) {
				t.Errorf("%+v\n%+v\nwant %+v", got, asked, l)
			}
			_, err = tx.ListingAsked("bank", l.Element, l.Nonce)
			wantProblem(t, err, "listing-unknown")
			_, err = tx.Listing("l9")
			wantProblem(t, err, "listing-unknown")
			return nil
		})
		equal(t, "after its end", decide("clean", []byte("proof"), base.Add(time.Hour)), false)
		equal(t, "open", decide("clean", []byte("proof"), base.Add(time.Minute)), true)
		equal(t, "twice", decide("declined", nil, base.Add(time.Minute)), false)
		w.read(func(tx *store.Tx) error {
			got, err := tx.Listing("l1")
			equal(t, "state", got.State+" "+string(got.Answer), "clean proof")
			equal(t, "decided", got.DecidedAt, base.Add(time.Minute))
			return err
		})
	})
}

func TestListingsAreShownOldestFirstCountedToldOnceAndPurged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.listing("l2", 1, base.Add(time.Minute))
		w.listing("l1", 1, base)
		w.listing("l3", 2, base.Add(time.Minute))
		w.write(func(tx *store.Tx) error {
			waiting, err := tx.ListingsOf(warifu.ElementID{1}, base, 10)
			must(t, err)
			equal(t, "waiting", len(waiting), 2)
			equal(t, "first", waiting[0].ID, "l1")
			waiting, err = tx.ListingsOf(warifu.ElementID{1}, base.Add(time.Hour), 10)
			must(t, err)
			equal(t, "waiting after an hour", len(waiting), 1)
			ofChip, all, err := tx.ListingsBy("flea", warifu.ElementID{1}, base.Add(-time.Second))
			must(t, err)
			equal(t, "of the chip", ofChip, int64(2))
			equal(t, "of all", all, int64(3))
			ofChip, all, err = tx.ListingsBy("bank", warifu.ElementID{1}, base.Add(-time.Second))
			must(t, err)
			equal(t, "of another party", ofChip+all, int64(0))
			for _, first := range []bool{true, false} {
				told, err := tx.ToldListing("l1", base)
				must(t, err)
				equal(t, "told for the first time", told, first)
			}
			untold, err := tx.UntoldListings(base, 10)
			must(t, err)
			equal(t, "untold", len(untold), 2)
			gone, err := tx.PurgeListings(base.Add(time.Hour + time.Second))
			equal(t, "purged", gone, int64(1))
			return err
		})
	})
}
