package server_test

import (
	"math"
	"testing"
	"time"

	"warifu/server"
)

func TestRateIsMeasuredAndForgets(t *testing.T) {
	worked, perSecond := server.NewRate()
	near := func(what string, want float64) {
		t.Helper()
		if got := perSecond(); math.Abs(got-want) > want/20 {
			t.Errorf("%s: %.1f a second, want about %.1f", what, got, want)
		}
	}
	near("before anything was measured", 50)
	worked("issue", 64, 100*time.Millisecond)
	if got := perSecond(); got < 60 || got > 200 {
		t.Errorf("after a tenth of a second of work: %.1f", got)
	}
	for range 600 { // a minute of 640 a second
		worked("issue", 64, 100*time.Millisecond)
	}
	near("after a minute", 640)
	for range 400 { // seven of 20 a second: a slower machine, a full disk
		worked("issue", 20, time.Second)
	}
	near("after seven slow minutes", 20)
}

func TestRateCountsOnlyIssuingThatWasDone(t *testing.T) {
	worked, perSecond := server.NewRate()
	worked("notify", 64, time.Millisecond)
	worked("issue", 0, time.Minute)     // nothing came of it
	worked("issue", 64, 0)              // a clock that stands
	worked("issue", 64, -time.Second)   // that goes back
	worked("issue", 1, 30*24*time.Hour) // that was moved on in the middle
	if got := perSecond(); got != 50 {
		t.Errorf("%.1f a second", got)
	}
}
