package events

import (
	"cmp"
	"slices"
	"strconv"

	"warifu"
)

// MaxBatch is how many events one message between bureau and follower may carry.
const MaxBatch = 1000

// Batch is the JSON in which envelopes travel: what the bureau answers to a pull and
// what it posts to a subscriber.
type Batch struct {
	Events [][]byte `json:"events"` // envelopes, in order of number
	Newest int64    `json:"newest"` // the bureau's newest number, 0 when nothing ever happened
}

// Inbox is how far a follower has come: the events up to Last are done. The zero
// value has seen none.
type Inbox struct {
	Last int64
}

// Gap is a run of numbers that are missing, both ends included.
type Gap struct {
	From, To int64
}

// Sorted is what an Inbox makes of a batch.
type Sorted struct {
	Ready   []Event // to be done now, in order; numbers follow on each other and on Last
	Next    Inbox   // once they are done
	Dropped int     // copies of what is done or stands in the batch already
	Gap     *Gap    // what is missing before further events of the batch; nil when nothing is
}

// Sort puts a batch in order, drops what is done or there twice, and says what is
// missing. Events behind a gap are left out: they come again when the gap is pulled.
// Two different events of one number are Refused "card-event-number-reused": the
// bureau has contradicted itself, and nothing of the batch is to be done.
func (i Inbox) Sort(batch []Event) (Sorted, error) {
	batch = slices.Clone(batch)
	slices.SortStableFunc(batch, func(a, b Event) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for n := 1; n < len(batch); n++ {
		if batch[n].Sequence == batch[n-1].Sequence && !batch[n].Equal(batch[n-1]) {
			return Sorted{}, warifu.Refused("card-event-number-reused", "number", strconv.FormatInt(batch[n].Sequence, 10))
		}
	}
	out := Sorted{Next: i}
	for _, e := range batch {
		switch {
		case e.Sequence <= out.Next.Last:
			out.Dropped++
		case e.Sequence == out.Next.Last+1:
			out.Ready = append(out.Ready, e)
			out.Next.Last = e.Sequence
		default:
			out.Gap = &Gap{out.Next.Last + 1, e.Sequence - 1}
			return out, nil
		}
	}
	return out, nil
}
