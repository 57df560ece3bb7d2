package events_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"warifu"
	"warifu/events"
)

func numbers(in []events.Event) []int64 {
	out := []int64{}
	for _, e := range in {
		out = append(out, e.Sequence)
	}
	return out
}

func batch(n ...int64) []events.Event {
	var out []events.Event
	for _, number := range n {
		out = append(out, of(events.Moved, number))
	}
	return out
}

func TestAnInboxTakesEachEventOnceAndInOrder(t *testing.T) {
	gap := func(from, to int64) *events.Gap { return &events.Gap{From: from, To: to} }
	for _, c := range []struct {
		last    int64
		batch   []int64
		ready   []int64
		dropped int
		gap     *events.Gap
	}{
		{0, nil, []int64{}, 0, nil},
		{0, []int64{1, 2, 3}, []int64{1, 2, 3}, 0, nil},
		{0, []int64{3, 1, 2}, []int64{1, 2, 3}, 0, nil},
		{2, []int64{1, 2, 3, 3, 3}, []int64{3}, 4, nil},
		{0, []int64{2}, []int64{}, 0, gap(1, 1)},
		{5, []int64{6, 9, 10}, []int64{6}, 0, gap(7, 8)},
		{5, []int64{10, 6, 5}, []int64{6}, 1, gap(7, 9)},
		{9, []int64{1, 2}, []int64{}, 2, nil},
	} {
		given := batch(c.batch...)
		before := numbers(given)
		got, err := events.Inbox{Last: c.last}.Sort(given)
		if err != nil {
			t.Fatal(err)
		}
		next := c.last + int64(len(c.ready))
		if !slices.Equal(numbers(got.Ready), c.ready) || got.Dropped != c.dropped || got.Next.Last != next ||
			(got.Gap == nil) != (c.gap == nil) || got.Gap != nil && *got.Gap != *c.gap {
			t.Errorf("after %d, %v: %+v", c.last, c.batch, got)
		}
		if !slices.Equal(before, numbers(given)) {
			t.Errorf("%v was changed to %v", before, numbers(given))
		}
	}
}

func TestABureauThatContradictsItselfIsNotFollowed(t *testing.T) {
	two := batch(1, 2, 2)
	two[2].Person = warifu.DigestOf([]byte("somebody else"))
	_, err := events.Inbox{}.Sort(two)
	wantProblem(t, "one number, two events", err, "card-event-number-reused")
}

// TestWhateverTheLineDoesEachEventIsDoneOnce loses, doubles and shuffles messages; a gap is
// pulled, and so is the end.
func TestWhateverTheLineDoesEachEventIsDoneOnce(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		all := batch()
		for n := range 1 + r.Int64N(60) {
			all = append(all, of(events.Moved, n+1))
		}
		var inbox events.Inbox
		var done []events.Event
		take := func(in []events.Event) {
			s, err := inbox.Sort(in)
			if err != nil {
				t.Fatal(err)
			}
			done, inbox = append(done, s.Ready...), s.Next
			if s.Gap != nil {
				s, err = inbox.Sort(all[s.Gap.From-1:]) // the pull
				if err != nil || s.Gap != nil {
					t.Fatalf("seed %d: %v after a pull, %v", seed, s.Gap, err)
				}
				done, inbox = append(done, s.Ready...), s.Next
			}
		}
		for range r.IntN(20) {
			var pushed []events.Event
			for range r.IntN(8) {
				pushed = append(pushed, all[r.IntN(len(all))])
			}
			take(pushed)
		}
		take(all[inbox.Last:])
		if !slices.Equal(numbers(done), numbers(all)) {
			t.Fatalf("seed %d: %v", seed, numbers(done))
		}
	}
}
