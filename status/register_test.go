package status_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"warifu"
	"warifu/status"
)

// register is a Register in memory: what a database with a feed is to the publisher.
type register struct {
	mu      sync.Mutex
	clock   warifu.Clock
	number  uint64
	records map[byte]warifu.StatusRecord
	feed    []status.Change
	down    error
	// before, when not nil, runs between the taking of a number and the snapshot, as
	// another's transaction may.
	before func()
}

func newRegister(c warifu.Clock) *register {
	return &register{clock: c, records: map[byte]warifu.StatusRecord{}}
}

// set makes one change of a certificate that ends at notAfter.
func (r *register) set(n byte, s warifu.Status, notAfter time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record := warifu.StatusRecord{Kind: warifu.Signature, Serial: serial(n), Status: s, NotAfter: notAfter}
	r.records[n] = record
	r.feed = append(r.feed, status.Change{Number: int64(len(r.feed) + 1), Record: record})
}

// elsewhere is a change of the other authority's, which has the same feed.
func (r *register) elsewhere(n byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record := warifu.StatusRecord{Kind: warifu.Authentication, Serial: serial(n), Status: held(r.clock.Now())}
	r.feed = append(r.feed, status.Change{Number: int64(len(r.feed) + 1), Record: record})
}

func held(at time.Time) warifu.Status {
	return warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: at}
}

func revoked(reason warifu.Reason, at time.Time) warifu.Status {
	return warifu.Status{Cert: warifu.StatusRevoked, Reason: reason, RevokedAt: at}
}

var good = warifu.Status{Cert: warifu.StatusGood}

func (r *register) Number(_ context.Context, at time.Time) (uint64, int64, error) {
	r.mu.Lock()
	number, feed, err := max(r.number+1, uint64(at.UnixMicro())), int64(len(r.feed)), r.down
	r.number = number
	before := r.before
	r.mu.Unlock()
	if before != nil {
		before()
	}
	return number, feed, err
}

func (r *register) View(_ context.Context, f func(status.Snapshot) error) error {
	r.mu.Lock()
	s := snapshot{maps.Clone(r.records), r.feed[:len(r.feed):len(r.feed)]}
	err := r.down
	r.mu.Unlock()
	if err != nil {
		return err
	}
	return f(s)
}

type snapshot struct {
	records map[byte]warifu.StatusRecord
	feed    []status.Change
}

func (s snapshot) Head() (int64, error) {
	if len(s.feed) == 0 {
		return 0, nil
	}
	return s.feed[len(s.feed)-1].Number, nil
}

func (s snapshot) Revoked(add func(warifu.StatusRecord) error) error {
	for _, r := range s.records {
		if r.Status.Cert == warifu.StatusRevoked {
			if err := add(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s snapshot) Changes(after int64, add func(status.Change) error) error {
	for _, c := range s.feed {
		if c.Number > after {
			if err := add(c); err != nil {
				return err
			}
		}
	}
	return nil
}

var errSigning = errors.New("no key")
