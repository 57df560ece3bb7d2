package verification

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/ledger"
	"warifu/store"
)

// Listing is a marketplace's question to the holder of a phone that is offered there (R81,
// R83), with what became of it.
type Listing struct {
	ID          string
	Party       ledger.Name // what people call the marketplace
	Marketplace string      // the party's identifier: what the chip's proof names
	Nonce       []byte
	State       string // "pending", "declined", "clean", "expired"
	Answer      []byte // of "clean": what the holder's phone sent for the marketplace
	At, Expires time.Time
	DecidedAt   time.Time // of "clean"
}

// The states of a listing as the marketplace is told them.
const (
	ListingPending  = "pending"
	ListingDeclined = "declined"
	ListingClean    = "clean"
	ListingExpired  = "expired"
)

// The decisions of a holder. A marketplace hears only of ListingClean; whoever keeps or suspends
// certificates and whoever says that nobody offered the phone declines.
const (
	DecisionClean    = "clean"
	DecisionDeclined = "declined"
	DecisionNotMe    = "not-me"
)

// The bounds of listings. What a chip has open beyond attest.MaxListings is neither shown nor
// told until its turn comes.
const (
	listingLife        = 7 * day
	listingKeep        = 30 * day // after a question's end
	maxListingsOfChip  = 3        // of one party, in listingLife
	maxListingsADay    = 1000     // of one party
	listingNonceFewest = 16
	listingNonceMost   = 64

	verbAskListing    warifu.Verb = "ask-listing"
	verbAnswerListing warifu.Verb = "answer-listing"
)

// List writes a marketplace's question about a chip. It is answered in the same way whether
// the chip is known or not: nothing is looked up, and its phone is told later, if there is
// one. Asked twice with one nonce, it is one question. It counts as a question. Errors:
// Unauthenticated "relying-party-unknown", TooMany "party-questions-too-many" and
// "listings-too-many", Invalid "listing-malformed".
func (d *Desk) List(ctx context.Context, key string, element warifu.ElementID, nonce []byte, expires time.Time) (Listing, error) {
	party, err := d.admit(ctx, key)
	if err != nil {
		return Listing{}, err
	}
	now := d.Clock.Now()
	switch {
	case len(nonce) < listingNonceFewest || len(nonce) > listingNonceMost:
		return Listing{}, warifu.Invalid("listing-malformed", "what", "nonce")
	case !expires.After(now) || expires.Sub(now) > listingLife:
		return Listing{}, warifu.Invalid("listing-malformed", "what", "expiresAt")
	}
	row := store.Listing{ID: d.Store.NewID(), Party: party.ID, Element: element, Nonce: nonce, State: "waiting", At: now, Expires: expires}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		asked, err := tx.ListingAsked(party.ID, element, nonce)
		if err == nil {
			row = asked
			return nil
		}
		if !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			return err
		}
		if err := boundListings(tx, row); err != nil {
			return err
		}
		if err := tx.InsertListing(row); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: now, Actor: "party:" + party.ID, Verb: verbAskListing, Subject: row.ID, Detail: map[string]string{"element": element.String()}})
	})
	if err != nil {
		return Listing{}, err
	}
	return d.listingOf(row), nil
}

// boundListings counts only what the party itself asked, so that it learns of no other.
func boundListings(tx *store.Tx, row store.Listing) error {
	ofChip, _, err := tx.ListingsBy(row.Party, row.Element, row.At.Add(-listingLife))
	if err != nil {
		return err
	}
	_, today, err := tx.ListingsBy(row.Party, row.Element, row.At.Add(-day))
	if err == nil && (ofChip >= maxListingsOfChip || today >= maxListingsADay) {
		err = warifu.TooMany("listings-too-many")
	}
	return err
}

func (d *Desk) listingOf(row store.Listing) Listing {
	l := Listing{ID: row.ID, Marketplace: row.Party, Nonce: row.Nonce, State: row.State, At: row.At, Expires: row.Expires}
	if p, known := d.parties().named(row.Party); known {
		l.Party = p.Name
	}
	switch {
	case row.State == ListingClean:
		l.Answer, l.DecidedAt = row.Answer, row.DecidedAt
	case row.State == "waiting" && d.Clock.Now().Before(row.Expires):
		l.State = ListingPending
	case row.State == "waiting":
		l.State = ListingExpired
	}
	return l
}

// Listed tells a marketplace what became of its own question. Errors: Unauthenticated
// "relying-party-unknown", NotFound "listing-unknown".
func (d *Desk) Listed(ctx context.Context, key, id string) (Listing, error) {
	party, err := d.enter(key)
	if err != nil {
		return Listing{}, err
	}
	var l Listing
	err = d.Store.Read(ctx, func(tx *store.Tx) error {
		row, err := tx.Listing(id)
		if err == nil && row.Party != party.ID {
			err = warifu.NotFound("listing-unknown")
		}
		l = d.listingOf(row)
		return err
	})
	if err != nil {
		return Listing{}, err
	}
	return l, nil
}

// Listings are those that a chip's holder is asked now: the attest.MaxListings oldest of parties that
// still have a key. Whoever calls has checked that the chip itself asks.
func (d *Desk) Listings(ctx context.Context, element warifu.ElementID) ([]Listing, error) {
	var rows []store.Listing
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.ListingsOf(element, d.Clock.Now(), attest.MaxListings)
		return err
	})
	var out []Listing
	for _, row := range rows {
		if _, known := d.parties().named(row.Party); known {
			out = append(out, d.listingOf(row))
		}
	}
	return out, err
}

// ListingFor returns one question about a chip, for whoever answers it; NotFound
// "listing-unknown" for another chip's.
func (d *Desk) ListingFor(ctx context.Context, element warifu.ElementID, id string) (Listing, error) {
	var row store.Listing
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.Listing(id); err == nil && row.Element != element {
			err = warifu.NotFound("listing-unknown")
		}
		return err
	})
	if err != nil {
		return Listing{}, err
	}
	return d.listingOf(row), nil
}

// AnswerListing writes what the holder of a chip decided; answer is what the marketplace gets
// of DecisionClean. Whoever calls has checked that the chip itself says so, and its proof.
// Errors: NotFound "listing-unknown", Conflict "listing-closed" once it has expired or was
// decided otherwise, Invalid "listing-malformed".
func (d *Desk) AnswerListing(ctx context.Context, element warifu.ElementID, id, decision string, answer []byte) error {
	state := ListingDeclined
	if decision == DecisionClean {
		state = ListingClean
	}
	known := slices.Contains([]string{DecisionClean, DecisionDeclined, DecisionNotMe}, decision)
	if !known || (state == ListingClean) != (len(answer) > 0) {
		return warifu.Invalid("listing-malformed", "what", "decision")
	}
	now := d.Clock.Now()
	return d.Store.Write(ctx, func(tx *store.Tx) error {
		row, err := tx.Listing(id)
		if err == nil && row.Element != element {
			err = warifu.NotFound("listing-unknown")
		}
		if err != nil || row.State == state {
			return err
		}
		open, err := tx.DecideListing(id, state, answer, now)
		if err == nil && !open {
			err = warifu.Conflict("listing-closed")
		}
		if err != nil {
			return err
		}
		return tx.Audit(store.Line{At: now, Actor: "element:" + element.String(), Verb: verbAnswerListing, Subject: id, Detail: map[string]string{"decision": decision}})
	})
}

// PurgeListings forgets questions thirty days after their end, and returns how many.
func (d *Desk) PurgeListings(ctx context.Context) (gone int64, err error) {
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		gone, err = tx.PurgeListings(d.Clock.Now().Add(-listingKeep))
		return err
	})
	return gone, err
}
