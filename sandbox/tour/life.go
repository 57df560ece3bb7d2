package tour

import (
	"context"
	"fmt"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/bank"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/verify"
)

// lifeStops are the life of a credential after its birth, on a stage that has a second
// phone. They go on where the nine ended.
var lifeStops = []stop{
	{"suspension code, card", "code", (*walker).suspendByCode},
	{"passwords", "passwords", (*walker).passwords},
	{"the card's passwords", "card-secrets", (*walker).cardSecrets},
	{"card lost and found", "card-lost", (*walker).cardLost},
	{"repair", "repair", (*walker).repair},
	{"hotline", "hotline", (*walker).hotline},
	{"new phone", "new-phone", (*walker).newPhone},
	{"moving house", "move", (*walker).moveHouse},
	{"revoke on the phone", "revoke", (*walker).revokeOnPhone},
	{"apply again", "again", (*walker).applyAgain},
	{"adding the other kind", "other-kind", (*walker).addOtherKind},
	{"marriage", "marry", (*walker).marry},
	{"reset and leftovers", "reset", (*walker).resetLeavesChip},
	{"clean-phone proof", "clean", (*walker).proveClean},
	{"15th birthday", "fifteen", (*walker).turnFifteen},
	{"expiry", "expiry", (*walker).expire},
	{"card renewal", "renewed", (*walker).renewed},
	{"death", "death", (*walker).death},
}

// withCard orders with the card at the desk's reader: any PC.
func (w *walker) withCard(ctx context.Context, verb warifu.Verb, reason warifu.HoldReason) ([]phone.Standing, error) {
	var out desk.Ordered
	err := doorway.NewClient(w.Places.Desk).Post(ctx, "/api/cards/"+w.Holder.ID+"/orders",
		desk.Order{Verb: verb, Reason: reason, CardPassword: w.Holder.PINs.Signature}, &out)
	return out.Credentials, err
}

// happen registers an event of the holder's life; their particulars are then as the
// register has them.
func (w *walker) happen(ctx context.Context, event string) error {
	d := doorway.NewClient(w.Places.Desk)
	if err := d.Post(ctx, "/api/cards/"+w.Holder.ID+"/events", desk.Happening{Event: event}, nil); err != nil {
		return err
	}
	return w.refresh(ctx)
}

// refresh looks at the holder's card anew, passwords and all.
func (w *walker) refresh(ctx context.Context) error {
	var now desk.Card
	if err := doorway.NewClient(w.Places.Desk).Get(ctx, "/api/cards/"+w.Holder.ID, &now); err != nil {
		return err
	}
	w.Holder = now
	return nil
}

// stand wants chip and server to agree that the kinds stand so, in their order.
func (w *walker) stand(ctx context.Context, app *phone.App, what string, want ...warifu.CredentialState) error {
	kinds, err := app.Check(ctx)
	if err != nil {
		return err
	}
	for i, v := range kinds {
		if v.Standing == nil || v.Standing.State != want[i] {
			return fmt.Errorf("%s: the %s certificate stands at %+v, want %s", what, v.Kind, v.Standing, want[i])
		}
	}
	return nil
}

// judged wants the signature of stop 8, or a new one, to be judged so by bank and OCSP.
func (w *walker) judged(ctx context.Context, what string, want verify.Verdict) error {
	var j bank.Judgement
	if err := w.bank.Post(ctx, "/api/documents", bank.Document{Signature: w.signature, Document: w.document}, &j); err != nil {
		return err
	}
	if j.Verdict != want.String() {
		return fmt.Errorf("%s: the bank says %s (%v), want %s", what, j.Verdict, j.Reasons, want)
	}
	return nil
}

// suspendByCode: the code holds at once and can do nothing else; the card lifts it.
func (w *walker) suspendByCode(ctx context.Context) (said, error) {
	err := w.App.Server.SuspendByCode(ctx, "0000 0000 0000 0000 0000 00")
	if err := refused("a code that was never made", err); err != nil {
		return nil, err
	}
	if err := w.App.Server.SuspendByCode(ctx, w.code); err != nil {
		return nil, err
	}
	if err := w.stand(ctx, w.App, "after the code", warifu.CredentialHeld, warifu.CredentialHeld); err != nil {
		return nil, err
	}
	if err := w.judged(ctx, "on hold", verify.Bad); err != nil {
		return nil, err
	}
	if err := refused("a login on hold", w.login(ctx, phone.Unlock{Typed: secrets.Authentication})); err != nil {
		return nil, err
	}
	_, err = w.App.Resume(ctx, nil, warifu.HoldLost, phone.Secret{Kind: warifu.Signature, Typed: secrets.Signature})
	if err := expect("the phone lifting a hold for loss", "hold-not-yours", err); err != nil {
		return nil, err
	}
	if _, err := w.withCard(ctx, warifu.VerbResume, warifu.HoldLost); err != nil {
		return nil, err
	}
	if err := w.judged(ctx, "resumed", verify.Good); err != nil {
		return nil, err
	}
	return said{}, nil
}

// passwords: changed on the phone, locked by wrong ones, unlocked by the card (K14).
func (w *walker) passwords(ctx context.Context) (said, error) {
	if err := w.App.ChangeSecret(ctx, warifu.Authentication, secrets.Authentication, "1357"); err != nil {
		return nil, err
	}
	for range 3 {
		if err := refused("a wrong PIN", w.login(ctx, phone.Unlock{Typed: "0000"})); err != nil {
			return nil, err
		}
	}
	if err := expect("the right PIN after three wrong ones", "secret-blocked", w.login(ctx, phone.Unlock{Typed: "1357"})); err != nil {
		return nil, err
	}
	if _, err := w.App.Sign(ctx, w.document, true, phone.Unlock{Typed: secrets.Signature}); err != nil {
		return nil, fmt.Errorf("the other password was touched: %w", err)
	}
	err := w.App.ResetSecret(ctx, phone.Reset{Kind: warifu.Authentication, Card: w.Card, CardPassword: w.Holder.PINs.Signature, Next: secrets.Authentication})
	if err != nil {
		return nil, err
	}
	return said{}, w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}

// cardLost: the hold on the card is the phone's too, and its lift.
func (w *walker) cardLost(ctx context.Context) (said, error) {
	if err := w.happen(ctx, desk.EventLoseCard); err != nil {
		return nil, err
	}
	if err := w.stand(ctx, w.App, "card suspended", warifu.CredentialHeld, warifu.CredentialHeld); err != nil {
		return nil, err
	}
	if err := refused("a login while the card is suspended", w.login(ctx, phone.Unlock{Typed: secrets.Authentication})); err != nil {
		return nil, err
	}
	if err := w.happen(ctx, desk.EventFindCard); err != nil {
		return nil, err
	}
	return said{}, w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}

// register applies on the phone at hand for both kinds, or those named, and registers, as
// stops 1 to 7 did.
func (w *walker) register(ctx context.Context, kinds ...warifu.Kind) error {
	if len(kinds) == 0 {
		kinds = warifu.Kinds[:]
	}
	terms, err := w.App.CheckEligible(ctx)
	if err != nil {
		return err
	}
	draft, err := w.App.Begin(phone.Choice{Kinds: kinds, Consent: terms.Consent, CardPassword: w.Holder.PINs.Signature})
	if err != nil {
		return err
	}
	if err := w.App.Prepare(ctx, draft); err != nil {
		return err
	}
	if err := w.App.SignWithCard(ctx, draft, w.Card); err != nil {
		return err
	}
	if err := w.App.SetSecrets(ctx, draft, secrets); err != nil {
		return err
	}
	if err := w.App.Submit(ctx, draft); err != nil {
		return err
	}
	w.draft = draft
	if due := draft.Application.DueAt; due != nil && due.After(w.App.Clock.Now()) {
		if err := w.clockTo(ctx, *due); err != nil {
			return err
		}
	}
	if _, err := w.issue(ctx); err != nil {
		return err
	}
	p := phone.Personalization{Card: w.Card, CardPIN: w.Holder.PINs.Authentication, Code: func(code string) { w.code = code }}
	err = w.App.Personalize(ctx, p)
	if e := warifu.ProblemOf(err); err != nil && e.Problem == "supersede-cooling" {
		until, bad := time.Parse(time.RFC3339, e.Params["until"])
		if bad != nil {
			return bad
		}
		if err := w.clockTo(ctx, until.Add(time.Second)); err != nil {
			return err
		}
		err = w.App.Personalize(ctx, p)
	}
	return err
}

// clockBy moves the clock to what the words name, as people type them.
func (w *walker) clockBy(ctx context.Context, words string) error {
	return doorway.NewClient(w.Places.Desk).Post(ctx, "/api/clock", desk.Time{Words: words}, nil)
}

func (w *walker) clockTo(ctx context.Context, t time.Time) error {
	return doorway.NewClient(w.Places.Desk).Post(ctx, "/api/clock", desk.Time{To: t}, nil)
}

// signAgain makes the document's signature with the phone at hand.
func (w *walker) signAgain(ctx context.Context) (err error) {
	if w.signature, err = w.App.Sign(ctx, w.document, true, phone.Unlock{Typed: secrets.Signature}); err != nil {
		return err
	}
	return w.rememberSigner(w.signature)
}
