package world

import (
	"sync"
	"time"

	"warifu"
	"warifu/sandbox/folder"
)

// Clock is the world's clock: real time and an offset. It only moves forward, also
// over a restart, since certificates once issued must not become unissued. Time
// runs; To makes it jump.
type Clock struct {
	real   warifu.Clock
	folder folder.Folder

	mu     sync.Mutex
	offset time.Duration
	latest time.Time // no earlier instant is ever told again
	stands bool      // during a jump: the hands are where To put them
}

type clockFile struct {
	Offset time.Duration `json:"offset"` // nanoseconds ahead of real time
	Latest time.Time     `json:"latest"` // told when the offset was last changed
}

// clockName is the clock's file in a world's folder.
const clockName = "clock.json"

// OpenClock opens the clock kept in the folder; begin is the first instant of a new
// world and is looked at only when there is none yet.
func OpenClock(f folder.Folder, real warifu.Clock, begin time.Time) (*Clock, error) {
	c := &Clock{real: real, folder: f}
	var kept clockFile
	there, err := f.ReadJSON(clockName, &kept)
	if err != nil {
		return nil, err
	}
	if there {
		c.offset, c.latest = kept.Offset, kept.Latest
		return c, nil
	}
	c.offset, c.latest = begin.Sub(real.Now()), begin
	return c, c.keep()
}

// Now implements warifu.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.stands {
		return c.latest
	}
	if now := c.real.Now().Add(c.offset).Round(0); now.After(c.latest) {
		c.latest = now
	}
	return c.latest
}

// To moves the clock forward to t; "clock-backward" if t is past.
func (c *Clock) To(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if t.Before(now) {
		return warifu.Refused("clock-backward", "now", now.Format(time.RFC3339))
	}
	c.offset = t.Sub(c.real.Now())
	c.latest = t
	return c.keep()
}

// Stand stops the hands, so that what falls due at an instant is done at that instant,
// and returns what lets them run again from where they are then.
func (c *Clock) Stand() (run func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest, c.stands = c.now(), true
	return func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.stands = false
		c.offset = c.latest.Sub(c.real.Now())
		return c.keep()
	}
}

// Forward moves the clock forward by d.
func (c *Clock) Forward(d time.Duration) error { return c.To(c.Now().Add(d)) }

func (c *Clock) keep() error { return c.folder.WriteJSON(clockName, clockFile{c.offset, c.latest}) }

// room is how much of the service hours a new world has before it at least.
const room = 2 * time.Hour

// Beginning returns the first instant of a new world: the latest one not after now
// at which an application is issued at once, and still would be two hours later,
// so that who tries the sandbox at night is not stopped by the hour (K1). due is a
// scheme's Hours.Due.
func Beginning(due func(complete time.Time) time.Time, now time.Time) time.Time {
	open := func(t time.Time) bool { return due(t).Equal(t) && due(t.Add(room)).Equal(t.Add(room)) }
	if open(now) {
		return now
	}
	for t := now.Truncate(time.Minute); now.Sub(t) < 60*24*time.Hour; t = t.Add(-time.Minute) {
		if open(t) {
			return t
		}
	}
	return now
}
