package warifu

import "time"

// Clock is the one source of time. Every package that needs to know the hour is
// handed a Clock; nothing in the house calls time.Now itself. Production uses
// SystemClock and has no door to set it; the sandbox's clock only moves forward.
type Clock interface {
	// Now returns the present instant.
	Now() time.Time
}

// SystemClock tells the machine's time.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// ClockFunc makes a Clock of a function.
type ClockFunc func() time.Time

// Now implements Clock.
func (f ClockFunc) Now() time.Time { return f() }
