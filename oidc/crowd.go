package oidc

import (
	"sync"
	"time"

	"warifu"
	"warifu/store"
)

// Limits bound how many logins may be under way on this server. Zero: the default.
type Limits struct {
	PerClient int // begun by browsers, of one client: anybody can begin those
	Pushed    int // begun by pushed requests, of one client: only it can, so that a flood of the others shuts nobody out
	All       int
	Answers   int // that one login takes which are not good
}

// The defaults. A row and what is remembered of it take about a kilobyte.
const (
	defaultPerClient = 20_000
	defaultPushed    = 20_000
	defaultAll       = 100_000
	defaultAnswers   = 10
)

func (l Limits) complete() Limits {
	for _, d := range []struct {
		at *int
		is int
	}{{&l.PerClient, defaultPerClient}, {&l.Pushed, defaultPushed}, {&l.All, defaultAll}, {&l.Answers, defaultAnswers}} {
		if *d.at == 0 {
			*d.at = d.is
		}
	}
	return l
}

// crowd counts the logins that this server has begun and not seen the end of. It is a bound
// and no record: another server has its own, and after a restart it begins anew, when what was
// under way lasts minutes at most.
type crowd struct {
	limits Limits
	clock  warifu.Clock

	mu      sync.Mutex
	members map[store.LoginID]*member
	by      map[lane]int
	queue   []departure // in order of entering; those who left or stayed longer are passed over
	head    int
}

// lane is one client's logins of one of the two sorts.
type lane struct {
	client string
	pushed bool
}

type member struct {
	lane
	expires time.Time
	answers int // that were not good
}

type departure struct {
	id store.LoginID
	at time.Time
}

func newCrowd(l Limits, clock warifu.Clock) *crowd {
	return &crowd{limits: l.complete(), clock: clock, members: map[store.LoginID]*member{}, by: map[lane]int{}}
}

// enter counts one more; TooMany "logins-too-many" where there is no room.
func (c *crowd) enter(id store.LoginID, client string, pushed bool, expires time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	in, most := lane{client, pushed}, c.limits.PerClient
	if pushed {
		most = c.limits.Pushed
	}
	if c.by[in] >= most || len(c.members) >= c.limits.All {
		return warifu.TooMany("logins-too-many")
	}
	c.add(id, in, expires)
	return nil
}

func (c *crowd) add(id store.LoginID, in lane, expires time.Time) *member {
	m := &member{lane: in, expires: expires}
	c.members[id] = m
	c.by[in]++
	c.queue = append(c.queue, departure{id, expires})
	return m
}

// stay lets one that was counted go on until later.
func (c *crowd) stay(id store.LoginID, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.members[id]; m != nil {
		m.expires = expires
		c.queue = append(c.queue, departure{id, expires})
	}
}

// leave counts one less.
func (c *crowd) leave(id store.LoginID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(id)
}

func (c *crowd) remove(id store.LoginID) {
	m := c.members[id]
	if m == nil {
		return
	}
	delete(c.members, id)
	if c.by[m.lane]--; c.by[m.lane] <= 0 {
		delete(c.by, m.lane)
	}
}

// forget lets go of those whose time is over.
func (c *crowd) forget() {
	now := c.clock.Now()
	for c.head < len(c.queue) {
		d := c.queue[c.head]
		m := c.members[d.id]
		if m != nil && now.Before(d.at) {
			break
		}
		if m != nil && !now.Before(m.expires) {
			c.remove(d.id)
		}
		c.head++
	}
	if c.head > 1024 && c.head > len(c.queue)/2 {
		c.queue = append([]departure(nil), c.queue[c.head:]...)
		c.head = 0
	}
}

// wrong counts an answer that is not good, and says by TooMany "login-answers-too-many" that
// there were enough: whoever has a login's link could otherwise have signatures checked without end.
func (c *crowd) wrong(id store.LoginID, client string, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	m := c.members[id]
	if m == nil { // begun at another server
		m = c.add(id, lane{client, true}, expires)
	}
	m.answers++
}

func (c *crowd) mayAnswer(id store.LoginID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.members[id]; m != nil && m.answers >= c.limits.Answers {
		return warifu.TooMany("login-answers-too-many")
	}
	return nil
}

// size is how many there are, for metrics.
func (c *crowd) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	return len(c.members)
}
