package server_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/server"
)

// Who operates a server sees in its log and its figures how far a backlog has come and about how
// long it will still take; a day on which nothing waits says nothing.
func TestABacklogsProgressIsToldToTheLogAndTheFigures(t *testing.T) {
	var said bytes.Buffer
	now := time.Date(2026, 4, 1, 19, 30, 0, 0, time.UTC)
	worked, gauges := server.NewUnderWay(slog.New(slog.NewTextHandler(&said, nil)), warifu.ClockFunc(func() time.Time { return now }))
	left := int64(6400)
	counted := 0
	count := func() (int64, error) { counted++; return left, nil }
	for left > 0 { // 64 a batch, a batch in half a second: 50 s
		left -= 64
		worked("issue", 64, count)
		now = now.Add(500 * time.Millisecond)
		if left == 3200 {
			families, err := gauges.Gather()
			if err != nil || len(families) != 1 || families[0].GetMetric()[0].GetGauge().GetValue() != .5 {
				t.Errorf("the gauge half-way: %v %v", families, err)
			}
		}
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) != 9 || !strings.Contains(said.String(), "work=issue done=3200 passed=25s all=6400 percent=50 left=25s") {
		t.Errorf("%d lines:\n%s", len(lines), said.String())
	}
	if counted > 60 {
		t.Errorf("what waits was counted %d times in 100 batches", counted)
	}
	if families, _ := gauges.Gather(); len(families) != 0 {
		t.Errorf("when nothing waits: %v", families)
	}
	said.Reset()
	worked("notify", 64, count)
	worked("issue", 0, count)
	worked("issue", 1, count)
	if said.Len() > 0 {
		t.Errorf("a quiet day says %s", said.String())
	}
}
