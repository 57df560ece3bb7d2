package world

import (
	"context"
	"errors"
	"sync"
	"time"

	"warifu"
	"warifu/events"
	"warifu/sandbox/bureau"
	"warifu/sandbox/moment"
)

// The time machine stops wherever something falls due, so that each thing happens in its
// turn and at its own instant: at most so many times for one jump, beyond which the rest
// happens at the target. settled is how long, by real time, it waits at a stop for what
// another worker has begun.
const (
	maxStops = 4000
	settled  = 5 * time.Second
)

// hands move the world's clock and do what falls due on the way. One jump at a time.
type hands struct {
	world *World
	mu    *sync.Mutex
}

// Now implements desk.Clock.
func (h hands) Now() time.Time { return h.world.Clock.Now() }

// To implements desk.Clock. The clock's hands stand at each stop until the queue is
// drained, the card bureau's events are followed and the server has swept: a hold ends
// before what comes after it, and its line in the audit trail bears its own instant.
// Errors: "clock-backward", Refused "clock-too-far" beyond the authorities' own lives.
func (h hands) To(ctx context.Context, t time.Time) (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last, err := h.world.last()
	if err != nil {
		return err
	}
	if t.After(last) {
		return warifu.Refused("clock-too-far", "last", last.In(h.world.Scheme.Hours.Zone).Format(time.RFC3339))
	}
	if now := h.world.Clock.Now(); t.Before(now) {
		return warifu.Refused("clock-backward", "now", now.In(h.world.Scheme.Hours.Zone).Format(time.RFC3339))
	}
	run := h.world.Clock.Stand()
	defer func() { err = errors.Join(err, run()) }()
	for range maxStops {
		at, err := h.next(ctx, t)
		if err != nil {
			return err
		}
		if at.IsZero() {
			break
		}
		if err := h.stop(ctx, at); err != nil {
			return err
		}
	}
	return h.stop(ctx, t)
}

// last is the last instant to which the clock may go: the earliest end of the authorities
// that everything here hangs on.
func (w *World) last() (time.Time, error) {
	var last time.Time
	for _, kind := range warifu.Kinds {
		own, err := w.authority(kind)
		if err != nil {
			return time.Time{}, err
		}
		for _, end := range []time.Time{w.Bureau.Authority(kind).NotAfter, own.NotAfter} {
			if last.IsZero() || end.Before(last) {
				last = end
			}
		}
	}
	return last, nil
}

// next is where the clock stops next on its way to t: zero when nothing falls due before.
func (h hands) next(ctx context.Context, t time.Time) (time.Time, error) {
	now := h.world.Clock.Now()
	due, err := h.world.falling(ctx)
	var at time.Time
	for _, d := range due {
		passed := d.Passed()
		if passed.After(now) && passed.Before(t) && (at.IsZero() || passed.Before(at)) {
			at = passed
		}
	}
	return at, err
}

// stop moves the hands and does what falls due there.
func (h hands) stop(ctx context.Context, t time.Time) error {
	if err := h.world.Clock.To(t); err != nil {
		return err
	}
	w := h.world
	if err := w.drain(ctx); err != nil {
		return err
	}
	if err := w.Follow(ctx); err != nil {
		return err
	}
	w.Server.Sweep(ctx)
	err := w.drain(ctx)
	w.Server.Queue().Wake()
	return err
}

// drain returns when no job is due any more and none is under way in the queue's own
// worker either; what a dead worker holds is not waited for.
func (w *World) drain(ctx context.Context) error {
	late := time.After(settled)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := w.Server.Queue().Drain(ctx); err != nil {
			return err
		}
		depths, err := w.Server.Queue().Depths(ctx)
		if err != nil {
			return err
		}
		leased := int64(0)
		for _, d := range depths {
			leased += d.Leased
		}
		if leased == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-late:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// falling is what stops the clock: what the registration authority does by the clock, and
// the days on which the card bureau has something to tell.
func (w *World) falling(ctx context.Context) ([]moment.Due, error) {
	due, err := w.Server.Registration().Upcoming(ctx, maxListed)
	if err != nil {
		return nil, err
	}
	views, err := w.Bureau.Persons()
	if err != nil {
		return nil, err
	}
	cards := map[warifu.Digest]string{}
	for _, v := range views {
		cards[v.Handle] = v.Person.ID
	}
	var out []moment.Due
	for _, d := range due {
		out = append(out, moment.Due{At: d.At, What: moment.What(d.What), Kind: d.Kind, Card: cards[d.Person], Application: d.Application})
	}
	now := w.Clock.Now()
	for _, v := range views {
		out = append(out, ofCard(v, now)...)
	}
	return out, nil
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
	return w.drain(ctx)
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
