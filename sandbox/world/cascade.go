package world

import (
	"context"
	"strconv"

	"warifu"
	"warifu/registration"
)

// Cascade carries out a change in the world outside, follows it, and returns what the
// server made of every event the card bureau told of meanwhile: one tree of causes each,
// as the audit trail has it.
func (w *World) Cascade(ctx context.Context, change func() error) ([]registration.Cause, error) {
	authority := w.Server.Registration()
	before, err := authority.Followed(ctx)
	if err != nil {
		return nil, err
	}
	if err := change(); err != nil {
		return nil, err
	}
	if err := w.Follow(ctx); err != nil {
		return nil, err
	}
	after, err := authority.Followed(ctx)
	out := []registration.Cause{}
	for n := before + 1; n <= after && err == nil; n++ {
		var trees []registration.Cause
		trees, err = registration.Causes(ctx, authority.Store, "card-event-"+strconv.FormatInt(n, 10))
		if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
			err = nil // an event about which there was nothing to do
		}
		out = append(out, trees...)
	}
	return out, err
}
