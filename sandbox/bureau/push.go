package bureau

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"warifu"
	"warifu/events"
	"warifu/sandbox/doorway"
)

// Sender hands a batch of events to a subscriber and returns nil once it has them.
type Sender func(ctx context.Context, batch events.Batch) error

// PostTo is a Sender that posts each batch as JSON to an address,
// "http://127.0.0.1:8400/api/v1/card-events".
func PostTo(address string, client *http.Client) Sender {
	if client == nil {
		client = &http.Client{Timeout: 30 * time.Second}
	}
	to := doorway.Client{Base: address, Client: client}
	return func(ctx context.Context, batch events.Batch) error { return to.Post(ctx, "", batch, nil) }
}

// pushed bounds one push; pushTries is how often one is tried before the next event, or
// nobody, tries again. What a push lost a pull finds.
const (
	pushed    = 100
	pushTries = 5
)

// Push tells a subscriber of every event after a number as it happens, until the context
// ends; what cannot be delivered is tried a few times, and again when something further
// happens, never out of order. wait is asked before each further try (the first is 1)
// and returns an error to stop; nil doubles a second each time.
func (b *Bureau) Push(ctx context.Context, after int64, send Sender, wait func(ctx context.Context, try int) error) {
	if wait == nil {
		wait = doubling
	}
	for ctx.Err() == nil {
		batch, news := b.batch(after, pushed)
		if len(batch.Events) > 0 && deliver(ctx, batch, send, wait) {
			after += int64(len(batch.Events))
			continue
		}
		select {
		case <-news:
		case <-ctx.Done():
		}
	}
}

func deliver(ctx context.Context, batch events.Batch, send Sender, wait func(context.Context, int) error) bool {
	for try := 1; ; try++ {
		err := send(ctx, batch)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		slog.Warn("card bureau: events could not be pushed", "newest", batch.Newest, "try", try, "problem", warifu.ProblemOf(err).Problem)
		if try == pushTries || wait(ctx, try) != nil {
			return false
		}
	}
}

// doubling waits one second, two, four and so on.
func doubling(ctx context.Context, try int) error {
	t := time.NewTimer(time.Second << (try - 1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
