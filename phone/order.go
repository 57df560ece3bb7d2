package phone

import (
	"context"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/jpki"
)

// The purposes of the secure element's requests for orders (docs/papers.md).
const (
	purposeRevoke  = "revoke"
	purposeReissue = "reissue-code"
)

// Secret is one of the phone's own passwords, as typed: the signing password, or the
// PIN where the phone has no signing certificate (K10). The chip verifies it and says so
// in its request; it never leaves the phone.
type Secret struct {
	Kind  warifu.Kind
	Typed string
}

// Revoke ends certificates of this phone for good and at once (R75): the chip verifies
// the secret and signs the order, the server revokes, and the kill tickets that come
// back have the chip destroy the keys; its receipts go to the server. No kinds means all
// that are in the chip. A phone torn away after the server's word is wiped by Wipe.
func (a *App) Revoke(ctx context.Context, kinds []warifu.Kind, s Secret) ([]Standing, error) {
	done, err := a.order(ctx, purposeRevoke, kinds, s)
	if err != nil {
		return nil, err
	}
	var tickets [][]byte
	for _, c := range done {
		if c.Ticket == nil { // the server could not make it at once, or it was obeyed before
			_, err := a.Wipe(ctx)
			return done, err
		}
		tickets = append(tickets, c.Ticket)
	}
	_, err = a.Obey(ctx, tickets)
	return done, err
}

// Suspend puts certificates of this phone on hold: at the holder's own wish, or for a
// repair until an instant, when the hold ends by itself (K5). A zero until means own wish.
func (a *App) Suspend(ctx context.Context, kinds []warifu.Kind, until time.Time, s Secret) ([]Standing, error) {
	purpose := string(warifu.VerbSuspend) + ":" + string(warifu.HoldOwnWish)
	if !until.IsZero() {
		purpose = string(warifu.VerbSuspend) + ":" + string(warifu.HoldRepair) + ":" + strconv.FormatInt(until.Unix(), 10)
	}
	return a.order(ctx, purpose, kinds, s)
}

// Resume lifts a hold that the holder put: "own-wish" or "repair". Others are lifted by
// whoever may ("hold-not-yours").
func (a *App) Resume(ctx context.Context, kinds []warifu.Kind, reason warifu.HoldReason, s Secret) ([]Standing, error) {
	return a.order(ctx, string(warifu.VerbResume)+":"+string(reason), kinds, s)
}

// NewCode gets a new suspension code, to be shown once and kept elsewhere; the older
// one is worth nothing from then on.
func (a *App) NewCode(ctx context.Context, s Secret) (string, error) {
	request, err := a.request(ctx, purposeReissue, "code", s)
	if err != nil {
		return "", err
	}
	return a.Server.ReissueCode(ctx, a.Device.Element, request)
}

// order has the chip sign an order for the kinds and hands it in.
func (a *App) order(ctx context.Context, purpose string, kinds []warifu.Kind, s Secret) ([]Standing, error) {
	if len(kinds) == 0 {
		slots, err := a.slots(ctx)
		if err != nil {
			return nil, err
		}
		if kinds = kindsOf(slots.Live); len(kinds) == 0 {
			return nil, warifu.Conflict("credential-none")
		}
	}
	kinds, err := sortedKinds(kinds)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.String()
	}
	request, err := a.request(ctx, purpose, strings.Join(names, ","), s)
	if err != nil {
		return nil, err
	}
	return a.Server.DeviceOrder(ctx, a.Device.Element, request)
}

// request has the chip verify the secret and sign a request in its own name, both in a
// selection of their own: what was typed for something else before does not count (K10).
func (a *App) request(ctx context.Context, purpose, subject string, s Secret) ([]byte, error) {
	secret, err := a.Scheme.ActivationSecret(s.Kind, s.Typed)
	if err != nil {
		return nil, err
	}
	challenge, err := a.Server.OrderChallenge(ctx, a.Device.Element)
	if err != nil {
		return nil, err
	}
	token, err := jpki.Select(ctx, a.Element)
	if err != nil {
		return nil, phoneError(err)
	}
	if err := token.VerifyPhone(ctx, s.Kind, secret); err != nil {
		return nil, phoneError(err)
	}
	envelope, err := token.Element().DeviceRequest(ctx, purpose, subject, challenge)
	return envelope, phoneError(err)
}

func (a *App) slots(ctx context.Context) (jpki.Slots, error) {
	element, err := jpki.SelectElement(ctx, a.Element)
	if err != nil {
		return jpki.Slots{}, phoneError(err)
	}
	slots, err := element.Slots(ctx)
	return slots, phoneError(err)
}

// kindsOf lists the kinds that are in use in one half of the chip.
func kindsOf(half jpki.SlotHalf) []warifu.Kind {
	var kinds []warifu.Kind
	for _, slot := range half.Slots {
		kinds = append(kinds, slot.Kind)
	}
	return kinds
}
