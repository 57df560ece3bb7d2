package world_test

import (
	"errors"
	"testing"
	"time"

	"warifu"
	"warifu/sandbox/folder"
	"warifu/sandbox/world"
	"warifu/scheme"
)

// hands is a clock whose hands a test turns.
type hands struct{ at time.Time }

func (h *hands) Now() time.Time { return h.at }

func openClock(t *testing.T, dir string, real warifu.Clock, begin time.Time) *world.Clock {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := world.OpenClock(f, real, begin)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheWorldsClockMovesOnlyForward(t *testing.T) {
	start := time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)
	real, dir := &hands{start}, t.TempDir()
	c := openClock(t, dir, real, start.Add(-time.Hour))
	if got := c.Now(); !got.Equal(start.Add(-time.Hour)) {
		t.Fatalf("a new world begins at %v", got)
	}
	if err := c.Forward(48 * time.Hour); err != nil {
		t.Fatal(err)
	}
	real.at = start.Add(time.Minute)
	want := start.Add(47*time.Hour + time.Minute)
	if got := c.Now(); !got.Equal(want) {
		t.Errorf("time runs to %v, want %v", got, want)
	}
	if err := c.To(start); !errors.Is(err, &warifu.Error{Problem: "clock-backward"}) {
		t.Errorf("backward: %v", err)
	}
	real.at = start // somebody sets the machine's clock back
	if got := c.Now(); got.Before(want) {
		t.Errorf("the clock went back to %v", got)
	}
	again := openClock(t, dir, real, time.Time{})
	if got := again.Now(); got.Before(start.Add(47 * time.Hour)) {
		t.Errorf("after a restart it is %v", got)
	}
}

func TestANewWorldBeginsWithinServiceHours(t *testing.T) {
	s, err := scheme.Shipped("jp-mobile")
	if err != nil {
		t.Fatal(err)
	}
	tokyo := s.Hours.Zone
	day := func(d, hour, minute int) time.Time { return time.Date(2026, 5, d, hour, minute, 0, 0, tokyo) }
	for _, c := range []struct{ now, want time.Time }{
		{day(11, 12, 0), day(11, 12, 0)},   // inside hours: now
		{day(11, 23, 0), day(11, 17, 29)},  // at night: two hours before the cut-off
		{day(11, 18, 30), day(11, 17, 29)}, // with less than that left
		{day(11, 3, 0), day(10, 17, 29)},   // before the opening: the evening before
	} {
		if got := world.Beginning(s.Hours.Due, c.now); !got.Equal(c.want) {
			t.Errorf("at %v a new world begins at %v, want %v", c.now, got, c.want)
		}
	}
}
