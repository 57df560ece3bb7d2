package phone

import (
	"context"
	"slices"

	"warifu"
	"warifu/jpki"
)

// Obey hands kill tickets to the chip and its receipts to the server, and returns how
// many keys were destroyed. It takes no secret, whoever holds the phone (K18). A ticket
// for a key that is not there any more is passed over.
func (a *App) Obey(ctx context.Context, tickets [][]byte) (int, error) {
	if len(tickets) == 0 {
		return 0, nil
	}
	killed := 0
	for _, ticket := range tickets {
		element, err := jpki.SelectElement(ctx, a.Element)
		if err != nil {
			return killed, phoneError(err)
		}
		receipt, err := element.Kill(ctx, ticket)
		if isProblem(err, "kill-ticket-other", "kill-ticket-old") {
			continue
		}
		if err != nil {
			return killed, phoneError(err)
		}
		killed++
		if err := a.Server.KillReceipt(ctx, a.Device.Element, receipt); err != nil {
			return killed, err
		}
	}
	return killed, a.settle(ctx)
}

// Wipe asks the server for the tickets of what is dead on this chip and has the chip
// obey: after a revocation elsewhere, after a reset, in a new owner's hands. It returns how
// many keys were destroyed. An element the server never heard of has nothing to wipe.
func (a *App) Wipe(ctx context.Context) (int, error) {
	tickets, err := a.Server.Tickets(ctx, a.Device.Element)
	if isProblem(err, "element-unknown") {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return a.Obey(ctx, tickets)
}

// settle makes what the app remembers agree with what the chip carries.
func (a *App) settle(ctx context.Context) error {
	slots, err := a.slots(ctx)
	if err != nil {
		return err
	}
	live := kindsOf(slots.Live)
	return a.remember(func(s *State) {
		if s.Personalized {
			s.Kinds, s.Personalized = live, len(live) > 0
		}
		for _, kind := range warifu.Kinds {
			if !slices.Contains(live, kind) {
				delete(s.ScreenLock, kind)
			}
		}
	})
}

// Validity is what chip and server say of one kind (有効性確認).
type Validity struct {
	Kind     warifu.Kind `json:"kind"`
	OnChip   bool        `json:"onChip"` // a personalized key is in the chip
	Live     bool        `json:"live"`   // the server counts it as active or on hold
	Standing *Standing   `json:"standing,omitempty"`
}

// Check asks the chip what is in it and the server what has become of it (有効性確認).
// It takes no secret. An app that was installed anew recognises in this way what a
// reset left in the chip (R74); Standing is told only where the app still knows its
// application. What is on the chip and no longer live is there for Wipe.
func (a *App) Check(ctx context.Context) ([]Validity, error) {
	slots, err := a.slots(ctx)
	if err != nil {
		return nil, err
	}
	leaving, err := a.Server.Leaving(ctx, a.Device.Element, "reset")
	if err != nil && !isProblem(err, "element-unknown") {
		return nil, err
	}
	state, err := a.State()
	if err != nil {
		return nil, err
	}
	var standing []Standing
	if state.Application != "" {
		if standing, err = a.Server.Credentials(ctx, state.Application); err != nil {
			return nil, err
		}
	}
	onChip := kindsOf(slots.Live)
	out := make([]Validity, 0, len(warifu.Kinds))
	for _, kind := range warifu.Kinds {
		v := Validity{Kind: kind, OnChip: slices.Contains(onChip, kind), Live: slices.Contains(leaving.Live, kind)}
		for i := range standing {
			if standing[i].Kind == kind {
				v.Standing = &standing[i]
				v.Standing.Ticket = nil
			}
		}
		out = append(out, v)
	}
	return out, nil
}
