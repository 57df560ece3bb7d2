package status

import (
	"context"
	"errors"
	"time"

	"warifu"
)

// Register is one authority's record of what became of its certificates: what lists
// are made of.
type Register interface {
	// Number takes the next CRLNumber of the authority, never one that was taken before
	// and at least the microseconds from 1970 to now, and tells with it the newest number of
	// the status feed. Of two callers, in this process or another, whoever takes the
	// greater CRLNumber is told no lesser number of the feed. A CRLNumber of 0 leaves
	// numbering to the publisher, which can then be the only one.
	Number(ctx context.Context, now time.Time) (number uint64, head int64, err error)
	// View calls f once with a snapshot, and returns its error. The snapshot ends with f.
	View(ctx context.Context, f func(Snapshot) error) error
}

// Snapshot is a register at one instant: its three methods tell of the same one.
type Snapshot interface {
	// Head returns the newest number of the status feed, 0 where it has none.
	Head() (int64, error)
	// Revoked hands every certificate of the authority that is revoked or held to add,
	// also those that have expired. It stops at add's first error and returns it.
	Revoked(add func(warifu.StatusRecord) error) error
	// Changes hands every change after that number of the feed to add, in order and of
	// whatever kind. It stops at add's first error and returns it.
	Changes(after int64, add func(Change) error) error
}

// Change is one entry of the status feed: a certificate's status from then on. Numbers
// have no gaps, so that whoever misses one knows.
type Change struct {
	Number int64
	At     time.Time // when the move was made
	Record warifu.StatusRecord
}

// Listing is a register that knows no changes: it hands every revoked or held
// certificate to add. Full lists can be made of it, and no deltas.
type Listing func(ctx context.Context, add func(warifu.StatusRecord) error) error

var errNoFeed = errors.New("status: a listing has no feed to make deltas of")

// Number implements Register: the publisher numbers.
func (l Listing) Number(context.Context, time.Time) (uint64, int64, error) { return 0, 0, nil }

// View implements Register.
func (l Listing) View(ctx context.Context, f func(Snapshot) error) error {
	return f(listingView{l, ctx})
}

type listingView struct {
	listing Listing
	ctx     context.Context //nolint:containedctx // lives as long as the call it belongs to
}

func (l listingView) Head() (int64, error) { return 0, nil }

func (l listingView) Revoked(add func(warifu.StatusRecord) error) error { return l.listing(l.ctx, add) }

func (l listingView) Changes(int64, func(Change) error) error { return errNoFeed }
