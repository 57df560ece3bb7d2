package status

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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

	mu     *sync.RWMutex // of all sets that are followed together
	good   indices
	ends   ends
	head   int64     // the newest number of the feed that is in it
	mark   [32]byte  // of the change with that number
	asOf   time.Time // when it was known to be up to date
	broken error     // why it follows no more
	owed   bool      // something was acknowledged that is not in it
	told   []func(warifu.Kind, []byte)
}

// NewSet makes an empty set of the kind's authority: nothing was issued, and nothing of
// the feed has been seen.
func NewSet(kind warifu.Kind, indexer Indexer, clock warifu.Clock) *Set {
	return &Set{kind: kind, indexer: indexer, clock: clock, mu: &sync.RWMutex{}}
}

// Kind is whose certificates are in the set.
func (s *Set) Kind() warifu.Kind { return s.kind }

// OnChange has f told of every certificate of the set's authority whose status changed,
// once the set answers with the new one and before whoever followed (Apply, CatchUp) goes on; a
// serial of nil says that all may have changed (Load, ReadSnapshot). f is called under no lock, and
// by several goroutines at once. It is for what remembers answers. Call it before the set is in use.
func (s *Set) OnChange(f func(kind warifu.Kind, serial []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, f)
}

func (s *Set) tell(serials ...[]byte) {
	for _, serial := range serials {
		for _, f := range s.told {
			f(s.kind, serial)
		}
	}
}

var (
	errCutOff = errors.New("status: the set is cut off from the feed")           // older than the limit
	errOwed   = errors.New("status: the set has not seen what was done already") // by this process itself
)

// Status implements Source. NotAfter is not told. It errs when the set is older than
// its limit, or misses what this process itself did.
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
	if s.owed {
		return warifu.StatusRecord{}, false, errOwed
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

// AsOf returns when the set was last known to be up to date: what it answers was true then,
// or became so since.
func (s *Set) AsOf() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.asOf
}

// Age returns how long ago the set was known to be up to date.
func (s *Set) Age() time.Duration { return max(0, s.clock.Now().Sub(s.AsOf())) }

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

// DivergedError says that what the feed has under a number is not what the set took over
// under it, or that it has nothing there: the database is an older one than the set has seen.
type DivergedError struct{ Number int64 }

// Error implements error.
func (e DivergedError) Error() string {
	return fmt.Sprintf("status: the feed has another change under number %d than the set took over", e.Number)
}

// Mark is a digest of a change, by which a set knows again what it took over last.
func (c Change) Mark() [32]byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.Number))
	b = binary.BigEndian.AppendUint64(b, uint64(c.At.UnixMicro()))
	b = append(b, byte(c.Record.Kind), byte(c.Record.Status.Cert), byte(c.Record.Status.Reason))
	return sha256.Sum256(append(b, c.Record.Serial...))
}

// Apply takes over changes of the feed, which it counts for both authorities and of which
// it keeps its own. Those it has already are passed over; the newest of them must be what it
// took over, or it is a DivergedError. At that, and at a gap (GapError), it takes nothing more,
// now or later, until a Load.
func (s *Set) Apply(changes ...Change) error {
	s.mu.Lock()
	changed, err := s.apply(changes)
	s.mu.Unlock()
	s.tell(changed...)
	return err
}

// apply returns the serial numbers that changed. The caller holds the lock.
func (s *Set) apply(changes []Change) (changed [][]byte, err error) {
	for _, c := range changes {
		switch {
		case s.broken != nil:
			return changed, s.broken
		case c.Number == s.head && c.Mark() != s.mark:
			s.broken = DivergedError{c.Number}
		case c.Number <= s.head:
		case c.Number != s.head+1:
			s.broken = GapError{s.head + 1, c.Number}
		default:
			s.head, s.mark = c.Number, c.Mark()
			if s.set(c.Record) {
				changed = append(changed, c.Record.Serial)
			}
		}
	}
	return changed, s.broken
}

// set takes over one record and says whether it is of the set's own authority.
func (s *Set) set(r warifu.StatusRecord) bool {
	index, ours := s.indexer.Index(r.Serial)
	if r.Kind != s.kind || !ours || index > 1<<32-1 {
		return false
	}
	i := uint32(index)
	switch r.Status.Cert {
	case warifu.StatusRevoked:
		s.good.remove(i)
		s.ends.put(i, endOf(r.Status))
		return true
	case warifu.StatusGood:
		s.good.add(i)
	default:
		s.good.remove(i)
	}
	if _, ended := s.ends.get(i); ended {
		s.ends.put(i, end{})
	}
	return true
}
