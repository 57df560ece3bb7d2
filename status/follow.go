package status

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"warifu"
)

// Feed is the status feed: up to a page of changes behind a number, in order; none when
// there are none yet.
type Feed func(ctx context.Context, after int64) ([]Change, error)

// Census hands every certificate that is good, revoked or held to add, of every authority
// and in any order, and returns the newest change of the feed at that same moment; the zero change
// where there is none.
type Census func(ctx context.Context, add func(warifu.StatusRecord) error) (newest Change, err error)

// Follower keeps the sets of a server's authorities up to date, all at one instant: who has
// seen one half of a change sees the other. It is the Source that answers from them.
type Follower struct {
	feed   Feed
	census Census
	clock  warifu.Clock
	sets   []*Set
	mu     *sync.RWMutex // of the sets

	asking sync.Mutex    // guards the next three
	next   *reading      // that has not begun
	now    *reading      // that has
	tried  time.Time     // when the feed was last asked for a question's sake
	turn   chan struct{} // one round at a time
}

// reading is one reading of the feed to its end, with those who wait for it.
type reading struct {
	done chan struct{}
	err  error
}

const (
	// freshFor is how old the sets may be without the feed being asked because of a question: a
	// few rounds of following.
	freshFor = time.Second
	// freshWait is how long a question waits for that.
	freshWait = 250 * time.Millisecond
	// roundLimit is how long one reading of the feed may take.
	roundLimit = 30 * time.Second
	// toldLimit is how long a transaction's answer waits for one.
	toldLimit = 5 * time.Second
)

// NewFollower takes the sets, which are to be in nobody's use yet.
func NewFollower(feed Feed, census Census, clock warifu.Clock, sets ...*Set) *Follower {
	f := &Follower{feed: feed, census: census, clock: clock, sets: sets, mu: &sync.RWMutex{}, turn: make(chan struct{}, 1)}
	for _, s := range sets {
		s.mu = f.mu
	}
	return f
}

// Set returns the set of an authority, nil where there is none.
func (f *Follower) Set(kind warifu.Kind) *Set {
	for _, s := range f.sets {
		if s.kind == kind {
			return s
		}
	}
	return nil
}

// Status implements Source. While the feed is followed nothing but memory is asked. Where
// it was not for a second (the clock has jumped, the database is away) the feed is asked once
// a second; if that is in vain the sets answer with what they have, up to their limit.
func (f *Follower) Status(ctx context.Context, kind warifu.Kind, serial []byte) (warifu.StatusRecord, bool, error) {
	f.freshen(ctx)
	s := f.Set(kind)
	if s == nil {
		return warifu.StatusRecord{}, false, nil
	}
	return s.Status(ctx, kind, serial)
}

// AsOf returns when the sets were last known to be up to date.
func (f *Follower) AsOf() time.Time {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.oldest().asOf
}

// Age returns how long ago that was.
func (f *Follower) Age() time.Duration { return max(0, f.clock.Now().Sub(f.AsOf())) }

// Head returns the newest number of the feed that is in all sets.
func (f *Follower) Head() int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.oldest().head
}

// Broken returns why the sets follow no more: a GapError or a DivergedError; nil while they do.
func (f *Follower) Broken() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, s := range f.sets {
		if s.broken != nil {
			return s.broken
		}
	}
	return nil
}

// oldest is the set that is furthest behind; after the first round they are one.
func (f *Follower) oldest() *Set {
	out := f.sets[0]
	for _, s := range f.sets[1:] {
		if s.head < out.head || s.asOf.Before(out.asOf) {
			out = s
		}
	}
	return out
}

// freshen asks the feed when the sets have grown old.
func (f *Follower) freshen(ctx context.Context) {
	if f.Age() <= freshFor {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, freshWait)
	defer cancel()
	f.asking.Lock()
	now, under := f.clock.Now(), f.now
	tried := now.Sub(f.tried).Abs() <= freshFor
	if !tried {
		f.tried = now
	}
	f.asking.Unlock()
	switch { // what is found is in the sets, and what is not is their age
	case !tried:
		_ = f.CatchUp(ctx)
	case under != nil:
		_ = under.await(ctx)
	}
}

// Told takes over changes that a transaction of this process has committed, before anybody
// learns that it has. With none the transaction may have committed or not. Should the sets miss them
// afterwards they refuse to answer until they do not.
func (f *Follower) Told(changes []Change) {
	if len(changes) > 0 && changes[0].Number <= f.Head()+1 && f.apply(changes) == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), toldLimit)
	defer cancel()
	err := f.Broken()
	if err == nil {
		err = f.CatchUp(ctx)
	}
	if err != nil && len(changes) > 0 {
		f.owe(changes[len(changes)-1].Number)
	}
}

// owe has the sets refuse unless they have come to a number in the meantime.
func (f *Follower) owe(number int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sets {
		s.owed = s.owed || s.head < number || s.broken != nil
	}
}

// CatchUp reads the feed to its end as it is when CatchUp is called, or later. Those who
// call it while it reads share the next reading. Errors: the feed's, a GapError, a DivergedError; the
// latter two stand until a Load.
func (f *Follower) CatchUp(ctx context.Context) error {
	f.asking.Lock()
	r := f.next
	if r == nil {
		r = &reading{done: make(chan struct{})}
		f.next = r
		go f.lead(context.WithoutCancel(ctx), r)
	}
	f.asking.Unlock()
	return r.await(ctx)
}

func (r *reading) await(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lead waits for the reading under way and does the next one.
func (f *Follower) lead(ctx context.Context, r *reading) {
	f.turn <- struct{}{}
	f.asking.Lock()
	f.next, f.now = nil, r // whoever comes from here on may know of more than will be read
	f.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	r.err = f.read(ctx)
	f.asking.Lock()
	f.now = nil
	f.asking.Unlock()
	<-f.turn
	close(r.done)
}

// read reads pages until one holds nothing new. Each begins with the change that the sets
// have already, so that a database that lost it is found out.
func (f *Follower) read(ctx context.Context) error {
	for {
		if err := f.Broken(); err != nil {
			return err
		}
		asked, head := f.clock.Now(), f.Head()
		changes, err := f.feed(ctx, max(0, head-1))
		if err != nil {
			return err
		}
		if head > 0 && (len(changes) == 0 || changes[0].Number != head) {
			return f.diverge(head)
		}
		if err := f.apply(changes); err != nil {
			return err
		}
		if len(changes) == 0 || changes[len(changes)-1].Number <= head {
			f.upToDate(asked)
			return nil
		}
	}
}

func (f *Follower) diverge(number int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sets {
		s.broken = cmp.Or[error](s.broken, DivergedError{number})
	}
	return DivergedError{number}
}

// apply takes changes over into all sets at one instant, and then tells of them.
func (f *Follower) apply(changes []Change) error {
	changed, failed := make([][][]byte, len(f.sets)), make([]error, len(f.sets))
	f.mu.Lock()
	for i, s := range f.sets {
		changed[i], failed[i] = s.apply(changes)
	}
	f.mu.Unlock()
	for i, s := range f.sets {
		s.tell(changed[i]...)
	}
	return cmp.Or(failed...)
}

// upToDate says that at that instant the feed had no number beyond the sets' own.
func (f *Follower) upToDate(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sets {
		if s.broken == nil {
			s.owed = false
			if at.After(s.asOf) {
				s.asOf = at
			}
		}
	}
}

// Load fills the sets anew from a census. Until it is done the old content answers; what
// broke the sets is forgiven.
func (f *Follower) Load(ctx context.Context) error {
	f.turn <- struct{}{}
	defer func() { <-f.turn }()
	began := f.clock.Now()
	fresh, ended := make([]*Set, len(f.sets)), make([][]indexed, len(f.sets))
	for i, s := range f.sets {
		fresh[i] = NewSet(s.kind, s.indexer, s.clock)
	}
	newest, err := f.census(ctx, func(r warifu.StatusRecord) error {
		for i, s := range fresh {
			index, ours := s.indexer.Index(r.Serial)
			switch {
			case r.Kind != s.kind || !ours || index > 1<<32-1:
			case r.Status.Cert == warifu.StatusGood:
				s.good.add(uint32(index))
			case r.Status.Cert == warifu.StatusRevoked:
				ended[i] = append(ended[i], indexed{uint32(index), endOf(r.Status)})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, s := range fresh {
		s.ends.load(ended[i])
	}
	f.mu.Lock()
	for i, s := range f.sets {
		s.owed = s.owed || s.head > newest.Number // told of meanwhile, or never there: the next reading knows
		s.good, s.ends, s.head, s.mark, s.asOf, s.broken = fresh[i].good, fresh[i].ends, newest.Number, newest.Mark(), began, nil
	}
	f.mu.Unlock()
	for _, s := range f.sets {
		s.tell(nil)
	}
	return nil
}

// Round is one round of following: it catches up, and where the sets are broken it loads
// them anew. It returns what stopped it, and what broke the sets beside nil where that is mended.
func (f *Follower) Round(ctx context.Context) (broken, err error) {
	err = f.CatchUp(ctx)
	if broken = f.Broken(); broken == nil {
		return nil, err
	}
	if err := f.Load(ctx); err != nil {
		return broken, err
	}
	return broken, f.CatchUp(ctx)
}

// IsBroken reports whether the error is one that a new census alone mends.
func IsBroken(err error) bool {
	var gap GapError
	var diverged DivergedError
	return errors.As(err, &gap) || errors.As(err, &diverged)
}
