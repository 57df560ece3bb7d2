package phone

import (
	"context"
	"slices"

	"warifu"
	"warifu/attest"
	"warifu/jpki"
)

// Obey hands the papers of Server.Tickets, or kill tickets alone, to the chip and its
// receipts to the server, and returns how many keys were destroyed. It takes no secret,
// whoever holds the phone (K18). A ticket for a key that is not there any more is passed
// over. Where the chip has an older ticket key pinned than signed a ticket, the papers that
// lead from the one to the other are fetched, and it is handed over again.
func (a *App) Obey(ctx context.Context, papers [][]byte) (int, error) {
	killed, err := a.hand(ctx, papers)
	if isProblem(err, "kill-ticket-invalid") {
		if papers, err = a.Server.Tickets(ctx, a.Device.Element); err != nil {
			return killed, err
		}
		var more int
		more, err = a.hand(ctx, papers)
		killed += more
	}
	if err != nil || len(papers) == 0 {
		return killed, err
	}
	return killed, a.settle(ctx)
}

// hand hands papers to the chip one after the other, and the receipts to the server.
func (a *App) hand(ctx context.Context, papers [][]byte) (killed int, err error) {
	for _, paper := range papers {
		element, err := jpki.SelectElement(ctx, a.Element)
		if err != nil {
			return killed, phoneError(err)
		}
		if _, err := attest.PeekNextTicketKey(paper); err == nil {
			if err := element.NextTicketKey(ctx, paper); err != nil && !isProblem(err, "ticket-key-refused") {
				return killed, phoneError(err)
			}
			continue // a chip that has another key pinned than the paper's refuses it
		}
		receipt, err := element.Kill(ctx, paper)
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
	return killed, nil
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

// Finding is what chip and server together say of one kind (有効性確認, K18).
type Finding string

// The findings; each has a sentence "phone.finding.…".
const (
	FindingUsable  Finding = "usable"  // in the chip, and active
	FindingHeld    Finding = "held"    // in the chip, and on hold
	FindingEnded   Finding = "ended"   // in the chip, and over for good: Wipe destroys it
	FindingStrange Finding = "strange" // in the chip, and this server never heard of it
	FindingMissing Finding = "missing" // not in the chip, though active or on hold
	FindingGone    Finding = "gone"    // not in the chip, and over
	FindingNone    Finding = "none"    // there never was one
)

// Validity is what chip and server say of one kind (有効性確認).
type Validity struct {
	Kind     warifu.Kind `json:"kind"`
	Finding  Finding     `json:"finding"`
	OnChip   bool        `json:"onChip"` // a personalized key is in the chip
	Live     bool        `json:"live"`   // the server counts it as active or on hold
	Standing *Standing   `json:"standing,omitempty"`
}

// Check asks the chip what is in it and the server what has become of it (有効性確認): each
// key by its digest, so that an app that was installed anew, or is a new owner's, finds out
// as much as one that remembers (R74). It takes no secret and changes nothing.
func (a *App) Check(ctx context.Context) ([]Validity, error) {
	slots, err := a.slots(ctx)
	if err != nil {
		return nil, err
	}
	life, err := a.life(ctx)
	if err != nil {
		return nil, err
	}
	return validities(slots.Live, life), nil
}

// life asks the server what it knows of this chip; of one that never applied it knows nothing.
func (a *App) life(ctx context.Context) (ElementLife, error) {
	challenge, err := a.Server.OrderChallenge(ctx, a.Device.Element)
	if err != nil {
		return ElementLife{}, err
	}
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return ElementLife{}, phoneError(err)
	}
	request, err := element.DeviceRequest(ctx, "check", "chip", challenge)
	if err != nil {
		return ElementLife{}, phoneError(err)
	}
	life, err := a.Server.OfElement(ctx, a.Device.Element, request)
	if isProblem(err, "element-unknown") {
		return ElementLife{}, nil
	}
	return life, err
}

// validities finds for each kind the credential of the key in the chip, or else the last one.
func validities(chip jpki.SlotHalf, life ElementLife) []Validity {
	out := make([]Validity, 0, len(warifu.Kinds))
	for _, kind := range warifu.Kinds {
		slot, there := chip.Of(kind)
		v := Validity{Kind: kind, OnChip: there}
		for _, c := range life.Credentials {
			if c.Kind != kind {
				continue
			}
			v.Live = v.Live || live(c.State)
			if !there || c.PublicKey == slot.PublicKey {
				standing := c.Standing
				v.Standing = &standing
			}
		}
		v.Finding = v.find()
		out = append(out, v)
	}
	return out
}

func (v Validity) find() Finding {
	switch {
	case v.OnChip && v.Standing == nil:
		return FindingStrange
	case v.OnChip && v.Standing.State == warifu.CredentialActive:
		return FindingUsable
	case v.OnChip && v.Standing.State == warifu.CredentialHeld:
		return FindingHeld
	case v.OnChip:
		return FindingEnded
	case v.Live:
		return FindingMissing
	case v.Standing != nil:
		return FindingGone
	}
	return FindingNone
}

func live(s warifu.CredentialState) bool {
	return s == warifu.CredentialActive || s == warifu.CredentialHeld
}

// Recognition is what an app found at its first contact with a chip.
type Recognition struct {
	// New tells that the app remembered nothing: it was installed anew, or the phone changed hands.
	New         bool       `json:"new"`
	Destroyed   int        `json:"destroyed"`             // dead keys, by their kill tickets
	Application string     `json:"application,omitempty"` // the one it goes on with
	Kinds       []Validity `json:"kinds"`
}

// Recognise is Check, and more at first contact: an app that remembers nothing fetches the
// kill tickets of what is dead on this chip and has them obeyed, in whosever hands the phone
// is now (K18), and goes on with what is live or on its way, so that a reset costs its
// holder nothing (R74). It takes no secret: whatever is live still asks for its own.
func (a *App) Recognise(ctx context.Context) (Recognition, error) {
	state, err := a.State()
	if err != nil {
		return Recognition{}, err
	}
	out := Recognition{New: state.Application == ""}
	if out.New {
		if out.Destroyed, err = a.Wipe(ctx); err != nil {
			return out, err
		}
	}
	slots, err := a.slots(ctx)
	if err != nil {
		return out, err
	}
	life, err := a.life(ctx)
	if err != nil {
		return out, err
	}
	out.Kinds, out.Application = validities(slots.Live, life), state.Application
	if !out.New {
		return out, nil
	}
	found, ok := adopted(slots, life)
	if !ok {
		return out, nil
	}
	out.Application = found.Application
	return out, a.remember(func(s *State) {
		s.Application, s.Kinds, s.Personalized = found.Application, found.Kinds, found.Personalized
	})
}

// adopted is the state to go on with: the application on its way, else that of the live keys.
func adopted(slots jpki.Slots, life ElementLife) (State, bool) {
	if life.Application != "" {
		return State{Application: life.Application, Kinds: kindsOf(slots.Shadow)}, true
	}
	for _, c := range slices.Backward(life.Credentials) {
		if slot, there := slots.Live.Of(c.Kind); there && live(c.State) && slot.PublicKey == c.PublicKey {
			return State{Application: c.Application, Kinds: kindsOf(slots.Live), Personalized: true}, true
		}
	}
	return State{}, false
}
