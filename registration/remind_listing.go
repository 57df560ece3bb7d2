package registration

import (
	"context"
	"slices"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// listingsAtOnce is how many questions of marketplaces are told in one transaction.
const listingsAtOnce = 200

// TellListings tells phones that a marketplace asks about them (R81), and returns how many
// notices it gave. It is called from a timer and not where the question is taken, so
// that who asks cannot tell a chip that is known from one that is not. The notice carries an
// application's identifier and nothing else; what it is about the phone asks.
func (a *Authority) TellListings(ctx context.Context) (given int, err error) {
	for {
		n, told := 0, 0
		err := a.Store.Write(ctx, func(tx *store.Tx) error {
			told = 0
			untold, err := tx.UntoldListings(a.Clock.Now(), listingsAtOnce)
			if err != nil {
				return err
			}
			n = len(untold)
			for _, l := range untold {
				said, err := a.tellListing(tx, l)
				if err != nil {
					return err
				}
				if said {
					told++
				}
			}
			return nil
		})
		if given += told; err != nil || n < listingsAtOnce {
			return given, err
		}
	}
}

// tellListing tells the phone of one question, once, unless more are open than are shown.
func (a *Authority) tellListing(tx *store.Tx, l store.Listing) (bool, error) {
	now := a.Clock.Now()
	first, err := tx.ToldListing(l.ID, now)
	if err != nil || !first {
		return false, err
	}
	shown, err := tx.ListingsOf(l.Element, now, attest.MaxListings)
	if err != nil || !slices.ContainsFunc(shown, func(s store.Listing) bool { return s.ID == l.ID }) {
		return false, err
	}
	rows, err := tx.ApplicationsOfElement(l.Element)
	if err != nil {
		return false, err
	}
	for _, row := range slices.Backward(rows) {
		if row.State == warifu.ApplicationPersonalized {
			return true, a.tell(tx, row.ID)
		}
	}
	return false, nil
}
