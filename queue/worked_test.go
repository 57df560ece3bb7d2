package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"warifu/queue"
)

func TestEachBatchIsTimedByTheClockAndWhatIsDoneCounted(t *testing.T) {
	type batch struct {
		kind string
		done int
		took time.Duration
	}
	var told []batch
	o := newOffice(t, sqlite(t), func(c *queue.Config) {
		c.Worked = func(kind string, done int, took time.Duration) { told = append(told, batch{kind, done, took}) }
	})
	o.Handle("issue", 2, func(_ context.Context, jobs []queue.Job) []queue.Result {
		o.clock.forward(3 * time.Second)
		results := make([]queue.Result, len(jobs))
		for i, j := range jobs {
			results[i] = queue.Result{Outcome: queue.Done}
			if j.Application == "a3" {
				results[i] = queue.Result{Outcome: queue.Dead, Err: errors.New("no")}
			}
		}
		return results
	})
	o.enqueue(queue.Job{Kind: "issue", Application: "a1"}, queue.Job{Kind: "issue", Application: "a2"}, queue.Job{Kind: "issue", Application: "a3"})
	o.drain()
	want := []batch{{"issue", 2, 3 * time.Second}, {"issue", 0, 3 * time.Second}}
	equal(t, "batches", len(told), len(want))
	for i := range told {
		equal(t, "batch", told[i], want[i])
	}
}
