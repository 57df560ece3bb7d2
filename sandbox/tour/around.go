package tour

import (
	"context"
	"fmt"
	"slices"
	"time"

	"warifu"
	"warifu/jpki"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/verify"
)

// atHall posts to a door of the holder's card at the desk: counter, kiosk, letters.
func (w *walker) atHall(ctx context.Context, door string, in any) error {
	return doorway.NewClient(w.Places.Desk).Post(ctx, "/api/cards/"+w.Holder.ID+"/"+door, in, nil)
}

// The card's PINs on this tour, besides the one it came with.
const (
	changedPIN  = "8642"
	unlockedPIN = "9753"
)

// cardSecrets is K16 and B.3: the card's passwords live at the counter and the kiosk; the
// phone's and the app have nothing to do with them.
func (w *walker) cardSecrets(ctx context.Context) (said, error) {
	kind := warifu.Authentication
	if err := w.atHall(ctx, "secret", desk.ChangePIN{Kind: kind, Current: w.Holder.PINs.Authentication, Next: changedPIN}); err != nil {
		return nil, err
	}
	token, err := jpki.Select(ctx, w.Card)
	if err != nil {
		return nil, err
	}
	for range 3 {
		if err := refused("a wrong PIN of the card", token.VerifyCard(ctx, kind, warifu.NewCardPIN([]byte("0000")))); err != nil {
			return nil, err
		}
	}
	if err := expect("the right PIN after three wrong ones", "card-pin-blocked", token.VerifyCard(ctx, kind, warifu.NewCardPIN([]byte(changedPIN)))); err != nil {
		return nil, err
	}
	w.PowerOff()
	unlock := desk.UnlockPIN{Kind: kind, At: desk.AtKiosk, Other: w.Holder.PINs.Signature, Next: unlockedPIN}
	if err := expect("a kiosk without a booking", "kiosk-not-booked", w.atHall(ctx, "unlock", unlock)); err != nil {
		return nil, err
	}
	if err := w.atHall(ctx, "face-check", desk.OfKind{Kind: kind}); err != nil {
		return nil, err
	}
	if err := w.atHall(ctx, "unlock", unlock); err != nil {
		return nil, err
	}
	if err := w.refresh(ctx); err != nil {
		return nil, err
	}
	for _, t := range w.Holder.Tries {
		if want := jpki.RuleOf(t.Kind).Tries; t.Left != want {
			return nil, fmt.Errorf("the card's %s password has %d tries left after unlocking, want %d", t.Kind, t.Left, want)
		}
	}
	return said{}, w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}

// repairLasts is short enough for one base of the delta list, which lists what was lifted.
const repairLasts = 3 * time.Hour

// repair is K5: a hold that ends by itself at its date; what was signed meanwhile stays bad.
func (w *walker) repair(ctx context.Context) (said, error) {
	until := w.App.Clock.Now().Add(repairLasts).Truncate(time.Second)
	if _, err := w.App.Suspend(ctx, nil, until, phone.Secret{Kind: warifu.Signature, Typed: secrets.Signature}); err != nil {
		return nil, err
	}
	if err := w.stand(ctx, w.App, "in repair", warifu.CredentialHeld, warifu.CredentialHeld); err != nil {
		return nil, err
	}
	if err := refused("a login during the repair", w.login(ctx, phone.Unlock{Typed: secrets.Authentication})); err != nil {
		return nil, err
	}
	if err := w.signAgain(ctx); err != nil {
		return nil, err
	}
	during, signed := w.App.Clock.Now(), w.signature
	certificate := w.certificates[warifu.Signature]
	if err := w.judged(ctx, "signed during the repair", verify.Bad); err != nil {
		return nil, err
	}
	if err := w.told(ctx, certificate, warifu.Signature, warifu.StatusRevoked, warifu.ReasonCertificateHold); err != nil {
		return nil, err
	}
	if err := w.listed(ctx, "", warifu.Signature, certificate, warifu.ReasonCertificateHold); err != nil {
		return nil, err
	}
	if err := w.clockBy(ctx, "end of the repair hold"); err != nil {
		return nil, err
	}
	if err := w.afterRepair(ctx, until, during, signed); err != nil {
		return nil, err
	}
	return said{"until": until.In(w.App.Scheme.Hours.Zone).Format("2006-01-02 15:04:05")}, nil
}

// afterRepair wants the hold over everywhere, at its very instant, and not forgotten.
func (w *walker) afterRepair(ctx context.Context, until, during time.Time, signed []byte) error {
	if err := w.stand(ctx, w.App, "repaired", warifu.CredentialActive, warifu.CredentialActive); err != nil {
		return err
	}
	certificate := w.certificates[warifu.Signature]
	if err := w.told(ctx, certificate, warifu.Signature, warifu.StatusGood, 0); err != nil {
		return err
	}
	if err := w.listed(ctx, "-delta", warifu.Signature, certificate, warifu.ReasonRemoveFromCRL); err != nil {
		return err
	}
	issuer, err := w.issuer(ctx, warifu.Signature)
	if err != nil {
		return err
	}
	past, err := verify.HistoryClient{}.Holds(ctx, certificate, issuer, w.App.Clock.Now())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(past.Holds, func(h verify.Interval) bool { return h.To.Equal(until) }) {
		return fmt.Errorf("the status history tells of holds %v, want one to end at %s", past.Holds, until)
	}
	v := verify.New(w.Trust, verify.OCSPClient{}, w.App.Clock)
	r, err := v.Document(ctx, signed, w.document, verify.Policy{At: during, History: verify.HistoryClient{}})
	if err != nil {
		return err
	}
	if r.Verdict != verify.Bad {
		return fmt.Errorf("what was signed during the repair is %s (%v) at that instant, want bad", r.Verdict, r.Err())
	}
	return w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}
