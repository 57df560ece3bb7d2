package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func TestMovesAndWaitsAreCountedByTheClock(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, at := range []time.Duration{0, 10 * time.Minute, 59 * time.Minute, 60 * time.Minute} {
			a := w.insertApplication(fmt.Sprint("issued ", i))
			_, err := w.moveApplication(a.ID, warifu.VerbIssue, base.Add(at), "")
			must(t, err)
		}
		w.read(func(tx *store.Tx) error {
			spans, err := tx.MovesBy("application", "issue", base, 30*time.Minute)
			must(t, err)
			want := []store.Span{{From: base, Count: 2}, {From: base.Add(30 * time.Minute), Count: 1}, {From: base.Add(time.Hour), Count: 1}}
			if !reflect.DeepEqual(spans, want) {
				t.Errorf("got %v, want %v", spans, want)
			}
			begun, err := tx.MovesBy("application", "begin", base.Add(-time.Hour), 24*time.Hour)
			must(t, err)
			var n int64
			for _, s := range begun {
				n += s.Count
			}
			equal(t, "begun", n, 4)
			waits, err := tx.WaitsByHour(base)
			must(t, err)
			if len(waits) != 2 || waits[0].Count != 3 || waits[1].Count != 1 || waits[0].Longest-waits[0].Mean != 36*time.Minute {
				t.Errorf("waits %+v", waits)
			}
			return nil
		})
	})
}
