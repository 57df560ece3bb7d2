package progress_test

import (
	"testing"
	"time"

	"warifu/progress"
)

func TestALogHearsOfEachTenthOfLongWorkAndOfNoneOfShort(t *testing.T) {
	clock := &hand{time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	var told []progress.Step
	tenths := progress.NewTenths(clock, func(s progress.Step) { told = append(told, s) })

	tenths.Begin("short")
	for n := range 100 {
		clock.at = clock.at.Add(40 * time.Millisecond)
		tenths.Done("short", n+1, 100)
	}
	tenths.End("short")
	if len(told) != 0 {
		t.Fatalf("four seconds were told of: %+v", told)
	}

	tenths.Begin("list")
	for n := range 1000 {
		clock.at = clock.at.Add(100 * time.Millisecond) // 100 s in all
		tenths.Done("list", n+1, 1000)
		s, ok := tenths.Now("list")
		want := time.Duration(1000-n-1) * 100 * time.Millisecond
		if !ok || s.Done != n+1 || s.Passed >= time.Second && (s.Left-want).Abs() > time.Millisecond {
			t.Fatalf("after %d: %+v, and %v are left", n+1, s, want)
		}
	}
	if len(told) != 10 || told[4].Percent() != 50 || told[4].Left != 50*time.Second || told[9].Left != 0 {
		t.Errorf("told of %+v", told)
	}
	tenths.End("list")
	tenths.Done("list", 1, 1)
	if _, ok := tenths.Now("list"); ok || len(told) != 10 {
		t.Error("work that ended is told of")
	}
}

func TestWorkOfWhichNobodyKnowsHowMuchThereIsIsToldByTime(t *testing.T) {
	clock := &hand{time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	n := 0
	tenths := progress.NewTenths(clock, func(s progress.Step) {
		if n++; s.Left >= 0 || s.Percent() != 0 {
			t.Errorf("an estimate of what nobody knows: %+v", s)
		}
	})
	tenths.Begin("pack")
	for i := range 35 {
		clock.at = clock.at.Add(time.Second)
		tenths.Done("pack", i*1000, 0)
	}
	if n != 3 {
		t.Errorf("35 seconds were told of %d times", n)
	}
}
