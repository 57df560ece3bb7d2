package housetest

import (
	"sync"
	"time"
)

// Tokyo is the zone of the service's hours.
var Tokyo = time.FixedZone("JST", 9*60*60)

// Begin is the first instant of a house: a Wednesday morning inside the hours of issuance.
var Begin = time.Date(2026, 6, 10, 10, 30, 0, 0, Tokyo)

// Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now implements warifu.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// To moves the clock, backward too: a machine's clock may do that.
func (c *Clock) To(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Forward moves the clock by d.
func (c *Clock) Forward(d time.Duration) { c.To(c.Now().Add(d)) }
