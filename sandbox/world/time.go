package world

import (
	"context"
	"time"

	"warifu/events"
	"warifu/sandbox/bureau"
)

// The time machine goes in steps, so that what falls due on the way happens in order
// and at its day: at most so many for one jump, and none shorter than a day.
const (
	maxSteps = 120
	dayStep  = 24 * time.Hour
)

// hands move the world's clock and do what falls due on the way.
type hands struct{ world *World }

// Now implements desk.Clock.
func (h hands) Now() time.Time { return h.world.Clock.Now() }

// To implements desk.Clock. Between two steps the queue is drained, the card bureau's
// events are followed and the server sweeps: a hold ends before what comes after it.
func (h hands) To(ctx context.Context, t time.Time) error {
	now := h.world.Clock.Now()
	step := max(dayStep, (t.Sub(now)+maxSteps-1)/maxSteps)
	for at := now.Add(step); at.Before(t); at = at.Add(step) {
		if err := h.step(ctx, at); err != nil {
			return err
		}
	}
	return h.step(ctx, t)
}

func (h hands) step(ctx context.Context, t time.Time) error {
	if err := h.world.Clock.To(t); err != nil {
		return err
	}
	w := h.world
	if _, err := w.Server.Queue().Drain(ctx); err != nil {
		return err
	}
	if err := w.Follow(ctx); err != nil {
		return err
	}
	w.Server.Sweep(ctx)
	_, err := w.Server.Queue().Drain(ctx)
	w.Server.Queue().Wake()
	return err
}

// Follow has the server follow whatever has happened to cards, and returns when every
// cascade is complete: the bureau's push does the same a moment later.
func (w *World) Follow(ctx context.Context) error {
	if _, err := w.Bureau.Advance(); err != nil {
		return err
	}
	_, err := w.Server.Registration().CatchUp(ctx, func(_ context.Context, after int64) (events.Batch, error) {
		return w.Bureau.Events(after, events.MaxBatch)
	})
	if err != nil {
		return err
	}
	_, err = w.Server.Queue().Drain(ctx)
	return err
}

// push has the card bureau tell the server of its events until ctx ends.
func (w *World) push(ctx context.Context) error {
	followed, err := w.Server.Registration().Followed(ctx)
	if err != nil {
		return err
	}
	w.Bureau.Push(ctx, followed, bureau.PostTo(w.Places.Server+"/api/v1/card-events", nil), nil)
	return nil
}
