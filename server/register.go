package server

import (
	"context"
	"time"

	"warifu"
	"warifu/status"
	"warifu/store"
)

// feedPage is how many changes are read at once.
const feedPage = 1000

// NewRegister lets a publisher see what became of one authority's certificates; page is
// how many changes are read at once.
func NewRegister(s *store.Store, kind warifu.Kind, page int) status.Register {
	return register{s, kind, page}
}

// Statuses answers responder and historian out of the registration's database.
type Statuses interface {
	status.Source
	status.Past
}

// NewStatuses asks the database each time.
func NewStatuses(s *store.Store) Statuses { return source{s} }

type register struct {
	store *store.Store
	kind  warifu.Kind
	page  int
}

// Number implements status.Register.
func (r register) Number(ctx context.Context, now time.Time) (number uint64, head int64, err error) {
	err = r.store.Write(ctx, func(tx *store.Tx) error {
		n, feed, err := tx.NextCRLNumber(r.kind, now)
		number, head = uint64(n), feed
		return err
	})
	return number, head, err
}

// View implements status.Register.
func (r register) View(ctx context.Context, f func(status.Snapshot) error) error {
	return r.store.Read(ctx, func(tx *store.Tx) error { return f(snapshot{tx, r.kind, r.page}) })
}

type snapshot struct {
	tx   *store.Tx
	kind warifu.Kind
	page int
}

// Head implements status.Snapshot.
func (s snapshot) Head() (int64, error) { return s.tx.FeedHead() }

// Revoked implements status.Snapshot.
func (s snapshot) Revoked(add func(warifu.StatusRecord) error) error {
	return s.tx.Revoked(s.kind, add)
}

// Changes implements status.Snapshot.
func (s snapshot) Changes(after int64, add func(status.Change) error) error {
	for {
		page, err := s.tx.StatusFeed(after, s.page)
		if err != nil {
			return err
		}
		for _, c := range page {
			if err := add(status.Change(c)); err != nil {
				return err
			}
			after = c.Number
		}
		if len(page) < s.page {
			return nil
		}
	}
}

// Past implements status.Past.
func (s source) Past(ctx context.Context, kind warifu.Kind, serial []byte) (out []status.Moment, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) error {
		changes, _, err := tx.StatusHistory(kind, serial)
		for _, c := range changes {
			out = append(out, status.Moment{At: c.At, Status: c.Record.Status})
		}
		return err
	})
	return out, err
}
