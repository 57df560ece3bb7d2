package tour

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"warifu"
	"warifu/phone"
)

// The phone's new passwords on this tour.
var secrets = phone.Secrets{Signature: "TOUR2023", Authentication: "2468"}

// applyOnPhone is stop 1: what can be typed wrong is refused before a try is spent;
// then challenge, keys, attestation, the card's signature, the phone's secrets.
func (w *walker) applyOnPhone(ctx context.Context) (said, error) {
	terms, err := w.App.CheckEligible(ctx)
	if err != nil {
		return nil, err
	}
	if err := w.listen(ctx); err != nil {
		return nil, err
	}
	w.choice = phone.Choice{Kinds: warifu.Kinds[:], Consent: terms.Consent, CardPassword: w.Holder.PINs.Signature}
	if err := w.typedWrong(); err != nil {
		return nil, err
	}
	if w.draft, err = w.App.Begin(w.choice); err != nil {
		return nil, err
	}
	if err := w.App.Prepare(ctx, w.draft); err != nil {
		return nil, err
	}
	if err := w.App.SignWithCard(ctx, w.draft, w.Card); err != nil {
		return nil, err
	}
	if w.draft.CardTries != 5 {
		return nil, fmt.Errorf("the card has %d tries left, want 5: one was spent in vain", w.draft.CardTries)
	}
	if err := w.App.SetSecrets(ctx, w.draft, secrets); err != nil {
		return nil, err
	}
	return said{"keys": strconv.Itoa(len(w.draft.Kinds)), "algorithm": terms.Scheme.Algorithm}, nil
}

// typedWrong types what can be typed wrong.
func (w *walker) typedWrong() error {
	nothing, unread, mistyped := w.choice, w.choice, w.choice
	nothing.Kinds, unread.Consent, mistyped.CardPassword = nil, "", "short"
	for _, c := range []struct {
		problem string
		choice  phone.Choice
	}{{"kinds-none", nothing}, {"consent-missing", unread}, {"card-pin-format", mistyped}} {
		_, err := w.App.Begin(c.choice)
		if err := expect("a choice typed wrong", c.problem, err); err != nil {
			return err
		}
	}
	return expect("a password of three letters", "secret-format", w.App.CheckSecrets(warifu.Kinds[:1], phone.Secrets{Signature: "ABC"}))
}

// listen begins to listen for notices, and returns once the server has answered.
func (w *walker) listen(ctx context.Context) error {
	listening, stop := context.WithCancel(ctx)
	w.stopListening = stop
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- w.App.Notices(listening, func() { close(began) }, func(id string) {
			select {
			case w.notices <- id:
			default:
			}
		})
	}()
	select {
	case <-began:
		return nil
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// submit is stop 2: accepted once and durably; the same again is the same application.
func (w *walker) submit(ctx context.Context) (said, error) {
	whole := w.draft.Submission()
	for what, bad := range map[string]phone.Submission{
		"an application with a flipped bit": {Document: flipped(whole.Document), Attestation: whole.Attestation, Chain: whole.Chain, SecretsSet: whole.SecretsSet, CardAuthentication: whole.CardAuthentication},
		"an attestation with a flipped bit": {Document: whole.Document, Attestation: flipped(whole.Attestation), Chain: whole.Chain, SecretsSet: whole.SecretsSet, CardAuthentication: whole.CardAuthentication},
		"an application without secrets":    {Document: whole.Document, Attestation: whole.Attestation, Chain: whole.Chain, CardAuthentication: whole.CardAuthentication},
	} {
		_, err := w.App.Server.Submit(ctx, bad)
		if err := refused(what, err); err != nil {
			return nil, err
		}
	}
	if err := w.App.Submit(ctx, w.draft); err != nil {
		return nil, err
	}
	again, err := w.App.Server.Submit(ctx, whole)
	if err != nil {
		return nil, err
	}
	if again.ID != w.draft.Application.ID {
		return nil, fmt.Errorf("the same document became two applications, %s and %s", w.draft.Application.ID, again.ID)
	}
	return said{}, nil
}

// checks is stop 3: the application stands, with the identity of its document, and
// a phone that is not eligible never gets that far.
func (w *walker) checks(ctx context.Context) (said, error) {
	old := w.App.Device
	old.AppVersion = w.App.Scheme.MinimumAppVersion - 1
	_, err := w.App.Server.Challenge(ctx, old)
	if err := refused("an app older than the scheme's minimum", err); err != nil {
		return nil, err
	}
	unknown := w.App.Device
	unknown.Model = "no such phone"
	_, err = w.App.Server.Challenge(ctx, unknown)
	if err := refused("a model nobody knows", err); err != nil {
		return nil, err
	}
	a, err := w.App.Status(ctx)
	if err != nil {
		return nil, err
	}
	if a.State != warifu.ApplicationSubmitted && a.State != warifu.ApplicationIssued {
		return nil, fmt.Errorf("the application is %s (%s)", a.State, a.Problem)
	}
	return said{}, nil
}

// queue is stop 4: due by the scheme's hours.
func (w *walker) queue(context.Context) (said, error) {
	due := w.draft.Application.DueAt
	if due == nil {
		return nil, fmt.Errorf("the application has no due time")
	}
	if now := w.App.Clock.Now(); due.After(now) {
		return nil, fmt.Errorf("due at %s, and it is %s: outside the hours of issuance", due.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	return said{}, nil
}

// issue is stop 5: both authorities sign.
func (w *walker) issue(ctx context.Context) (said, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		a, err := w.App.Status(ctx)
		if err != nil {
			return nil, err
		}
		switch a.State {
		case warifu.ApplicationIssued:
			return said{}, nil
		case warifu.ApplicationSubmitted:
		default:
			return nil, fmt.Errorf("the application is %s (%s)", a.State, a.Problem)
		}
		select {
		case <-tick.C:
		case <-late:
			return nil, fmt.Errorf("issuing %w", errLate)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// notice is stop 6: the identifier of the application, and nothing else.
func (w *walker) notice(ctx context.Context) (said, error) {
	select {
	case id := <-w.notices:
		if id != w.draft.Application.ID {
			return nil, fmt.Errorf("the notice says %q, want the application's id alone", id)
		}
		return said{}, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("the notice %w", errLate)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
