package crashtest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/catalogue"
	"warifu/chip"
	"warifu/jpki"
	"warifu/phone"
	"warifu/sandbox/handset"
)

// Every phone here is of this maker and model.
const (
	phoneMaker = "Google"
	phoneModel = "Pixel 10"
)

// secrets are what every phone's passwords are set to.
var secrets = phone.Secrets{Signature: "CRASH2026", Authentication: "2468"}

// plan is what a phone's holder is going to do.
type plan string

const (
	planUse      plan = "use"      // fetch the certificates
	planDrawer   plan = "drawer"   // never fetch them
	planWithdraw plan = "withdraw" // take the application back
)

// handheld is a phone in somebody's hand. It goes on through whatever happens to the
// server, as a patient holder would, until its plan is carried out.
type handheld struct {
	town    *town
	name    string
	who     *resident
	plan    plan
	app     *phone.App
	element *chip.Element

	draft *phone.Draft
	id    string                  // of its application, once it was told
	seen  warifu.ApplicationState // the latest it was told
	cuts  int                     // sessions that a dead server cut
	late  bool                    // found active at the server and not yet live in the chip
	over  bool

	settled atomic.Bool // over, for who looks on
}

// pocket is an app's storage.
type pocket struct {
	mu sync.Mutex
	b  []byte
}

// Load implements phone.Storage.
func (p *pocket) Load() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.b), nil
}

// Save implements phone.Storage.
func (p *pocket) Save(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.b = slices.Clone(b)
	return nil
}

var pixel = sync.OnceValues(func() (catalogue.Model, error) {
	models, err := catalogue.Samples()
	if err != nil {
		return catalogue.Model{}, err
	}
	for _, m := range models {
		if m.ID == phoneModel {
			return m, nil
		}
	}
	return catalogue.Model{}, fmt.Errorf("no %s in the sample catalogue", phoneModel)
})

// newHandheld makes a phone for the resident.
func (tn *town) newHandheld(name string, who *resident, p plan, server *phone.Server) (*handheld, error) {
	model, err := pixel()
	if err != nil {
		return nil, err
	}
	made, err := tn.maker.Make(name, phoneMaker, phoneModel)
	if err != nil {
		return nil, err
	}
	element, err := tn.maker.Element(name)
	if err != nil {
		return nil, err
	}
	return &handheld{
		town: tn, name: name, who: who, plan: p, element: element,
		app: &phone.App{
			Server: server, Element: element.Internal(handset.AppCertificate), Storage: &pocket{}, Clock: clock, Scheme: tn.scheme,
			Device: phone.Device{Element: made.Element, Model: phoneModel, OSBuild: model.MinOSBuild, AppVersion: max(model.MinAppVersion, tn.scheme.MinimumAppVersion)},
		},
	}, nil
}

// live carries the plan out. An error is one that patience does not mend.
func (h *handheld) live(ctx context.Context) error {
	defer func() { h.settled.Store(h.over) }()
	for !h.over {
		err := h.step(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case passes(err):
			wait(ctx, 5*time.Millisecond)
		default:
			return fmt.Errorf("%s (%s, %s %s): %w", h.name, h.plan, h.id, h.seen, err)
		}
	}
	return nil
}

// wait waits, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// passes reports whether err is over by and by: a server that is not there, a session
// that died with it, a life that went on meanwhile.
func passes(err error) bool {
	e := warifu.ProblemOf(err)
	if e.Code == warifu.CodeUnavailable {
		return true
	}
	return slices.Contains([]string{"session-unknown", "sessions-too-many", "application-not-issued", "application-ended", "transition-illegal"}, e.Problem)
}

func (h *handheld) step(ctx context.Context) error {
	if h.id == "" {
		return h.apply(ctx)
	}
	a, err := h.app.Server.Application(ctx, h.id)
	if err != nil {
		return err
	}
	if rank(a.State) < rank(h.seen) {
		return fmt.Errorf("the application went back from %s to %s", h.seen, a.State)
	}
	h.seen = a.State
	return h.follow(ctx, a)
}

// rank orders the states: an application only ever moves on.
func rank(s warifu.ApplicationState) int {
	switch s {
	case "":
		return 0
	case warifu.ApplicationSubmitted:
		return 1
	case warifu.ApplicationIssued:
		return 2
	}
	return 3
}

// apply hands the application in; the same draft again after a server died over it.
func (h *handheld) apply(ctx context.Context) error {
	if h.draft == nil {
		draft, err := h.prepare(ctx)
		if err != nil {
			return err
		}
		h.draft = draft
	}
	if err := h.app.Submit(ctx, h.draft); err != nil {
		return err
	}
	h.id = h.draft.Application.ID
	return nil
}

// prepare goes from the challenge to the phone's own passwords.
func (h *handheld) prepare(ctx context.Context) (*phone.Draft, error) {
	draft, err := h.app.Begin(phone.Choice{
		Kinds: warifu.Kinds[:], Consent: h.town.scheme.Consent, CardPassword: string(h.who.pins.Signature.Reveal()),
	})
	if err != nil {
		return nil, err
	}
	if err := h.app.Prepare(ctx, draft); err != nil {
		return nil, err
	}
	if err := h.tap(ctx, draft); err != nil {
		return nil, err
	}
	return draft, h.app.SetSecrets(ctx, draft, secrets)
}

func (h *handheld) tap(ctx context.Context, draft *phone.Draft) error {
	h.who.tap.Lock()
	defer h.who.tap.Unlock()
	defer h.who.card.PowerOff()
	return h.app.SignWithCard(ctx, draft, h.who.card)
}

// follow does what the plan says in the state the application is in.
func (h *handheld) follow(ctx context.Context, a phone.Application) error {
	switch a.State {
	case warifu.ApplicationSubmitted, warifu.ApplicationIssued:
		switch {
		case h.plan == planWithdraw:
			return h.app.Withdraw(ctx)
		case a.State == warifu.ApplicationSubmitted:
			wait(ctx, 10*time.Millisecond)
			return nil
		case h.plan == planDrawer:
			h.over = true
			return nil
		}
		return h.fetch(ctx)
	case warifu.ApplicationPersonalized:
		return h.finish(ctx)
	case warifu.ApplicationWithdrawn:
		h.over = true
		return nil
	}
	return fmt.Errorf("the application ended as %s (%s)", a.State, a.Problem)
}

// fetch has the certificates written. A cut leaves the phone in the hand: its chip may
// as well lose its power before it is tried again.
func (h *handheld) fetch(ctx context.Context) error {
	err := h.app.Personalize(ctx, phone.Personalization{})
	if err != nil {
		h.cuts++
		h.element.PowerOff()
	}
	return err
}

// finish makes sure that what the server says is active is live in the chip; a session
// that was cut between the two is resumed.
func (h *handheld) finish(ctx context.Context) error {
	slots, err := h.slots(ctx)
	if err != nil {
		return err
	}
	if len(slots.Live.Slots) == len(warifu.Kinds) {
		h.over = true
		return nil
	}
	h.late = true
	err = h.fetch(ctx)
	if err != nil && warifu.ProblemOf(err).Problem == "application-not-issued" {
		h.over = true // superseded by the holder's next phone before ACTIVATE came
		return nil
	}
	return err
}

func (h *handheld) slots(ctx context.Context) (jpki.Slots, error) {
	element, err := jpki.SelectElement(ctx, h.app.Element)
	if err != nil {
		return jpki.Slots{}, err
	}
	return element.Slots(ctx)
}
