package status

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"warifu"
)

// Indexer reads the index off a serial number of the authority's own, and tells any
// other (profile.SerialCipher).
type Indexer interface {
	Index(serial []byte) (uint64, bool)
}

// Set is the status of every certificate of one authority in memory: a bit for each that
// is good, nine octets for each that is revoked or held. It is a Source that asks nobody. It
// follows the status feed from number to number and stops at a gap; cut off, it goes on answering
// until Limit and then refuses, since a revocation may have passed it by.
//
// A certificate that is neither good nor revoked is unknown: it was never issued, or is not
// in use yet.
type Set struct {
	// Limit is the greatest age at which answers are given; zero: any.
	Limit time.Duration

	kind    warifu.Kind
	indexer Indexer
	clock   warifu.Clock

	mu     sync.RWMutex
	good   indices
	ends   ends
	head   int64     // the newest number of the feed that is in it
	asOf   time.Time // when it was known to be up to date
	broken error     // why it follows no more
}

// NewSet makes an empty set of the kind's authority: nothing was issued, and nothing of
// the feed has been seen.
func NewSet(kind warifu.Kind, indexer Indexer, clock warifu.Clock) *Set {
	return &Set{kind: kind, indexer: indexer, clock: clock}
}

// errCutOff is for answers that would be older than the limit.
var errCutOff = errors.New("status: the set is cut off from the feed")

// Status implements Source. NotAfter is not told. It errs when the set is older than
// its limit.
func (s *Set) Status(_ context.Context, kind warifu.Kind, serial []byte) (warifu.StatusRecord, bool, error) {
	index, ours := s.indexer.Index(serial)
	if kind != s.kind || !ours || index > 1<<32-1 {
		return warifu.StatusRecord{}, false, nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.Limit > 0 && s.clock.Now().Sub(s.asOf) > s.Limit {
		return warifu.StatusRecord{}, false, errCutOff
	}
	record := warifu.StatusRecord{Kind: kind, Serial: serial}
	if e, revoked := s.ends.get(uint32(index)); revoked {
		record.Status = e.status()
		return record, true, nil
	}
	if s.good.has(uint32(index)) {
		record.Status = warifu.Status{Cert: warifu.StatusGood}
		return record, true, nil
	}
	return warifu.StatusRecord{}, false, nil
}

// Age returns how long ago the set was known to be up to date.
func (s *Set) Age() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return max(0, s.clock.Now().Sub(s.asOf))
}

// Head returns the newest number of the feed that is in the set.
func (s *Set) Head() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.head
}

// Count returns how many certificates are good, and how many revoked or held.
func (s *Set) Count() (good, ended int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.good.count(), s.ends.count()
}

// GapError says that the feed went on with another number than the next one: something
// passed the set by. It is not mended by asking again.
type GapError struct{ Want, Got int64 }

// Error implements error.
func (e GapError) Error() string {
	return fmt.Sprintf("status: the feed goes on with number %d where %d should come", e.Got, e.Want)
}

// Apply takes over changes of the feed, which it counts for both authorities and of which
// it keeps its own. Those it has already are passed over. At a gap it takes nothing more,
// now or later, and returns a GapError.
func (s *Set) Apply(changes ...Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		if s.broken != nil {
			return s.broken
		}
		if c.Number <= s.head {
			continue
		}
		if c.Number != s.head+1 {
			s.broken = GapError{s.head + 1, c.Number}
			return s.broken
		}
		s.head = c.Number
		s.set(c.Record)
	}
	return nil
}

func (s *Set) set(r warifu.StatusRecord) {
	index, ours := s.indexer.Index(r.Serial)
	if r.Kind != s.kind || !ours || index > 1<<32-1 {
		return
	}
	i := uint32(index)
	switch r.Status.Cert {
	case warifu.StatusRevoked:
		s.good.remove(i)
		s.ends.put(i, endOf(r.Status))
		return
	case warifu.StatusGood:
		s.good.add(i)
	default:
		s.good.remove(i)
	}
	if _, ended := s.ends.get(i); ended {
		s.ends.put(i, end{})
	}
}

// UpToDate says that at that instant the feed had no number beyond the set's own.
func (s *Set) UpToDate(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.After(s.asOf) && s.broken == nil {
		s.asOf = at
	}
}

// Census hands every certificate of the authority that is good, revoked or held to add,
// in any order, and returns the newest number of the feed at that moment.
type Census func(ctx context.Context, add func(warifu.StatusRecord) error) (head int64, err error)

// Load fills the set anew from a census. Until it is done the old content answers; a gap
// is forgiven.
func (s *Set) Load(ctx context.Context, census Census) error {
	fresh := NewSet(s.kind, s.indexer, s.clock)
	began := s.clock.Now()
	var ended []indexed
	head, err := census(ctx, func(r warifu.StatusRecord) error {
		index, ours := s.indexer.Index(r.Serial)
		switch {
		case r.Kind != s.kind || !ours || index > 1<<32-1:
		case r.Status.Cert == warifu.StatusGood:
			fresh.good.add(uint32(index))
		case r.Status.Cert == warifu.StatusRevoked:
			ended = append(ended, indexed{uint32(index), endOf(r.Status)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	fresh.ends.load(ended)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good, s.ends, s.head, s.asOf, s.broken = fresh.good, fresh.ends, head, began, nil
	return nil
}

// Feed is the status feed: up to a page of changes behind a number, in order; none when
// there are none yet.
type Feed func(ctx context.Context, after int64) ([]Change, error)

// CatchUp reads the feed to its end. Errors: the feed's, a GapError.
func (s *Set) CatchUp(ctx context.Context, feed Feed) error {
	for {
		asked := s.clock.Now()
		changes, err := feed(ctx, s.Head())
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			s.UpToDate(asked)
			return nil
		}
		if err := s.Apply(changes...); err != nil {
			return err
		}
	}
}
