package tour

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
)

// operator is a client of the server that shows an operator's token.
func (w *walker) operator() doorway.Client {
	c := doorway.NewClient(w.Places.Server)
	own := *c.Client
	own.Transport = bearer{w.Operator, own.Transport}
	c.Client = &own
	return c
}

// bearer adds an operator's token to each request.
type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(r)
}

// call is what an operator asks a caller, and the receipt number of the call.
type call struct {
	Receipt string `json:"receipt"`
	Matched int    `json:"matched"`
	Match   string `json:"match"`
}

func (w *walker) search(ctx context.Context, telephone string) (call, error) {
	var found call
	err := w.operator().Post(ctx, "/api/v1/hotline/searches",
		map[string]string{"reading": w.Holder.Kana, "birthDate": w.Holder.Birth, "telephone": telephone}, &found)
	return found, err
}

// hotline is B.5: a call suspends, nobody else is found, one operator alone does not
// resume, and the card does.
func (w *walker) hotline(ctx context.Context) (said, error) {
	contact := phone.Contact{Reading: w.Holder.Kana, Telephone: w.Holder.Telephone}
	if err := w.App.RegisterContact(ctx, contact, phone.Secret{Kind: warifu.Signature, Typed: secrets.Signature}); err != nil {
		return nil, err
	}
	stranger, err := w.search(ctx, "03-0000-0000")
	if err != nil {
		return nil, err
	}
	if stranger.Match != "" || stranger.Receipt == "" {
		return nil, fmt.Errorf("with another telephone number the hotline found %d and gave receipt %q", stranger.Matched, stranger.Receipt)
	}
	found, err := w.search(ctx, w.Holder.Telephone)
	if err != nil {
		return nil, err
	}
	if found.Match == "" {
		return nil, errors.New("the hotline did not find the holder")
	}
	record := map[string]any{"match": found.Match, "callBackNumberGiven": true, "caller": "holder", "phone": "stolen", "card": "kept"}
	if err := w.operator().Post(ctx, "/api/v1/hotline/suspensions", record, nil); err != nil {
		return nil, err
	}
	if err := w.heldAsLost(ctx); err != nil {
		return nil, err
	}
	if err := w.oneOperatorAlone(ctx, found); err != nil {
		return nil, err
	}
	if err := w.tellsContact(ctx); err != nil {
		return nil, err
	}
	if _, err := w.withCard(ctx, warifu.VerbResume, warifu.HoldLost); err != nil {
		return nil, err
	}
	if err := w.told(ctx, w.certificates[warifu.Authentication], warifu.Authentication, warifu.StatusGood, 0); err != nil {
		return nil, err
	}
	return said{"receipt": found.Receipt}, w.login(ctx, phone.Unlock{Typed: secrets.Authentication})
}

func (w *walker) heldAsLost(ctx context.Context) error {
	if err := w.stand(ctx, w.App, "after the call", warifu.CredentialHeld, warifu.CredentialHeld); err != nil {
		return err
	}
	if err := w.told(ctx, w.certificates[warifu.Authentication], warifu.Authentication, warifu.StatusRevoked, warifu.ReasonCertificateHold); err != nil {
		return err
	}
	return refused("a login after the call", w.login(ctx, phone.Unlock{Typed: secrets.Authentication}))
}

// oneOperatorAlone proposes to resume, once the call was returned, and may not confirm it
// as well.
func (w *walker) oneOperatorAlone(ctx context.Context, c call) error {
	var proposed struct {
		Proposal string `json:"proposal"`
	}
	resume := map[string]string{"match": c.Match, "cause": "found"}
	err := w.operator().Post(ctx, "/api/v1/hotline/resumptions", resume, &proposed)
	if err := expect("resuming before the holder was called back", "call-back-missing", err); err != nil {
		return err
	}
	if err := w.operator().Post(ctx, "/api/v1/hotline/calls/"+c.Receipt+"/call-backs", map[string]string{"outcome": "answered"}, nil); err != nil {
		return err
	}
	if err := w.operator().Post(ctx, "/api/v1/hotline/resumptions", resume, &proposed); err != nil {
		return err
	}
	err = w.operator().Post(ctx, "/api/v1/hotline/resumptions/"+proposed.Proposal+"/confirmation", struct{}{}, nil)
	return expect("one operator proposing and confirming", "four-eyes", err)
}

// tellsContact waits for the short message that the registered telephone gets.
func (w *walker) tellsContact(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		var tray struct {
			Notices []desk.Notice `json:"notices"`
		}
		if err := doorway.NewClient(w.Places.Desk).Get(ctx, "/api/notices", &tray); err != nil {
			return err
		}
		for _, n := range tray.Notices {
			if n.Occasion == "suspended-by-hotline" {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-late:
			return fmt.Errorf("the message to the registered telephone %w (%d others came)", errLate, len(tray.Notices))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
