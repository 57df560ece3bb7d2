package phones

import (
	"context"
	"errors"
	"slices"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/field"
	"warifu/sandbox/handset"
)

// Apply is everything a person chooses and types to apply (R32).
type Apply struct {
	Card         string        `json:"card"`         // whose card is tapped
	CardPassword string        `json:"cardPassword"` // the card's signing password
	Kinds        []warifu.Kind `json:"kinds"`
	Consent      string        `json:"consent"`        // version of the notes ticked
	Signature    string        `json:"signature"`      // the phone's new signing password
	PIN          string        `json:"authentication"` // the phone's new four-digit PIN
	// Discard gives up an application that is open on this phone: it is withdrawn first.
	Discard bool `json:"discard,omitempty"`
	// Leave is what becomes of the certificates that are on this phone already; keeping them
	// until the new ones replace them, where nothing is said (K14).
	Leave Leave `json:"leave,omitzero"`
	// Contact is whom to tell, and how the hotline finds the holder; it may be left out.
	Contact *phone.Contact `json:"contact,omitempty"`
}

// Applied tells how it went.
type Applied struct {
	Application phone.Application `json:"application"`
	CardTries   int               `json:"cardTries"` // left before the card's password was typed
}

// Apply goes through all steps of applying; what fails on the way leaves nothing at
// the server and clears the shadow slots.
func (p *Phones) Apply(ctx context.Context, id string, in Apply) (Applied, error) {
	var out Applied
	err := p.with(ctx, id, func(o *owned) error {
		draft, err := o.app.Begin(phone.Choice{Kinds: in.Kinds, Consent: in.Consent, CardPassword: in.CardPassword, Contact: in.Contact})
		if err != nil {
			return err
		}
		secrets := phone.Secrets{Signature: in.Signature, Authentication: in.PIN}
		if err := o.app.CheckOwn(draft, secrets); err != nil {
			return err
		}
		if err := makeRoom(ctx, o.app, in); err != nil {
			return err
		}
		if err := p.carry(ctx, o.app, draft, in.Card, secrets); err != nil {
			return errors.Join(err, o.app.Abandon(ctx))
		}
		out = Applied{draft.Application, draft.CardTries}
		return nil
	})
	return out, err
}

// makeRoom does with what is on this phone as the holder decided, before new keys are made.
func makeRoom(ctx context.Context, app *phone.App, in Apply) error {
	if in.Discard {
		if _, err := app.WithdrawOpen(ctx); err != nil {
			return err
		}
	}
	if in.Leave.Choice == "" {
		return nil
	}
	_, err := app.Leave(ctx, phone.OccasionNewPhone, in.Leave.decision())
	return err
}

func (p *Phones) carry(ctx context.Context, app *phone.App, draft *phone.Draft, card string, secrets phone.Secrets) error {
	if err := app.Prepare(ctx, draft); err != nil {
		return err
	}
	if err := p.tap(ctx, card, func(held *field.Held) error { return app.SignWithCard(ctx, draft, held) }); err != nil {
		return err
	}
	if err := app.SetSecrets(ctx, draft, secrets); err != nil {
		return err
	}
	return app.Submit(ctx, draft)
}

// Terms asks the server whether the phone is eligible and under which terms.
func (p *Phones) Terms(ctx context.Context, id string) (phone.Terms, error) {
	var out phone.Terms
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.CheckEligible(ctx)
		return err
	})
	return out, err
}

// Personalize says which card to tap should the server ask for it again (R45).
type Personalize struct {
	Card    string `json:"card,omitempty"`
	CardPIN string `json:"cardPin,omitempty"` // the card's four-digit PIN
}

// Personalized tells how many APDUs were carried, and the suspension code, which is to
// be noted down: it is shown this once.
type Personalized struct {
	Relayed        int    `json:"relayed"`
	SuspensionCode string `json:"suspensionCode,omitempty"`
}

// Personalize registers the certificates on the phone (R44).
func (p *Phones) Personalize(ctx context.Context, id string, in Personalize) (Personalized, error) {
	var out Personalized
	told := func(r phone.Relay) { out.Relayed = r.Number }
	code := func(c string) { out.SuspensionCode = c }
	err := p.with(ctx, id, func(o *owned) error {
		if in.Card == "" {
			return o.app.Personalize(ctx, phone.Personalization{Told: told, Code: code})
		}
		return p.tap(ctx, in.Card, func(held *field.Held) error {
			return o.app.Personalize(ctx, phone.Personalization{Card: held, CardPIN: in.CardPIN, Told: told, Code: code})
		})
	})
	return out, err
}

// Status is where the phone's application stands, with what its holder should know.
type Status struct {
	phone.Application
	Reminders []phone.Reminder `json:"reminders,omitempty"`
}

// Status asks the server where the phone's application stands.
func (p *Phones) Status(ctx context.Context, id string) (Status, error) {
	var out Status
	err := p.with(ctx, id, func(o *owned) (err error) {
		if out.Application, err = o.app.Status(ctx); err != nil {
			return err
		}
		out.Application = p.local(out.Application)
		out.Reminders, err = o.app.Reminders(ctx)
		return err
	})
	return out, err
}

// local tells an application's times in the zone of the scheme's hours.
func (p *Phones) local(a phone.Application) phone.Application {
	for _, t := range []**time.Time{&a.DueAt, &a.Forecast, &a.Lapses} {
		if *t != nil {
			at := (*t).In(p.config.Scheme.Hours.Zone)
			*t = &at
		}
	}
	return a
}

// Withdraw takes the phone's application back.
func (p *Phones) Withdraw(ctx context.Context, id string) error {
	return p.with(ctx, id, func(o *owned) error { return o.app.Withdraw(ctx) })
}

// Sign is a document to sign and the phone's signing password, or a gesture where the
// scheme allows it (K3).
type Sign struct {
	Document  []byte              `json:"document"`
	Form      phone.SignatureForm `json:"form,omitempty"` // detached by default
	Timestamp bool                `json:"timestamp,omitempty"`
	LongTerm  bool                `json:"longTerm,omitempty"`
	Staple    bool                `json:"staple,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	Location  string              `json:"location,omitempty"`
	Password  string              `json:"password"`
	Method    phone.Method        `json:"method,omitempty"`
	Shown     string              `json:"shown,omitempty"`
}

func (s Sign) signing() phone.Signing {
	return phone.Signing{Form: s.Form, Timestamp: s.Timestamp, LongTerm: s.LongTerm, Staple: s.Staple, Reason: s.Reason, Location: s.Location}
}

// Signed is a CMS message, or the document with the signature in it; Status is the OCSP answer
// that was asked for with it.
type Signed struct {
	Signature []byte `json:"signature"`
	Status    []byte `json:"status,omitempty"`
}

// Sign signs a document.
func (p *Phones) Sign(ctx context.Context, id string, in Sign) (Signed, error) {
	var out Signed
	err := p.with(ctx, id, func(o *owned) error {
		signed, err := o.app.SignDocument(ctx, in.Document, in.signing(), Unlock{in.Password, in.Method, in.Shown}.of())
		out = Signed{signed.File, signed.Status}
		return err
	})
	return out, err
}

// Login is a question, the page it was seen on, and how the key is opened.
type Login struct {
	Question phone.Question `json:"question"`
	Seen     string         `json:"seen"` // scheme://host[:port] of the page
	Unlock
}

// Unlock is the phone's four-digit PIN, or a gesture of the screen lock.
type Unlock struct {
	PIN    string       `json:"pin,omitempty"`
	Method phone.Method `json:"method,omitempty"`
	Shown  string       `json:"shown,omitempty"`
}

func (u Unlock) of() phone.Unlock {
	if u.Method == "" {
		return phone.Unlock{Typed: u.PIN}
	}
	return phone.Unlock{Gesture: &phone.Gesture{Method: u.Method, Shown: u.Shown}}
}

// Login answers a relying party's question.
func (p *Phones) Login(ctx context.Context, id string, in Login) (phone.Answer, error) {
	var out phone.Answer
	err := p.with(ctx, id, func(o *owned) (err error) {
		out, err = o.app.Login(ctx, in.Question, in.Seen, in.of())
		return err
	})
	return out, err
}

// ChangeSecret is one of the phone's own passwords changed (R30).
type ChangeSecret struct {
	Kind    warifu.Kind `json:"kind"`
	Current string      `json:"current"`
	Next    string      `json:"next"`
}

// Changed tells what a new password took with it.
type Changed struct {
	ScreenLockOff bool `json:"screenLockOff"` // it stood in for the old one, and has to be set up anew
}

// ChangeSecret changes one of the phone's own passwords.
func (p *Phones) ChangeSecret(ctx context.Context, id string, in ChangeSecret) (Changed, error) {
	var out Changed
	err := p.with(ctx, id, func(o *owned) error {
		before, err := o.app.State()
		if err != nil {
			return err
		}
		_, out.ScreenLockOff = before.ScreenLock[in.Kind]
		return o.app.ChangeSecret(ctx, in.Kind, in.Current, in.Next)
	})
	return out, err
}

// Reset is a locked or forgotten password of the phone set anew with the parent card.
type Reset struct {
	Kind         warifu.Kind `json:"kind"`
	Card         string      `json:"card"`
	CardPassword string      `json:"cardPassword"` // the card's signing password
	Next         string      `json:"next"`
}

// ResetSecret sets one of the phone's passwords anew (K14).
func (p *Phones) ResetSecret(ctx context.Context, id string, in Reset) error {
	return p.with(ctx, id, func(o *owned) error {
		return p.tap(ctx, in.Card, func(held *field.Held) error {
			return o.app.ResetSecret(ctx, phone.Reset{Kind: in.Kind, Card: held, CardPassword: in.CardPassword, Next: in.Next})
		})
	})
}

// ScreenLock is the screen lock set up for one of the phone's secrets: by default the PIN.
type ScreenLock struct {
	Unlock
	Kind     warifu.Kind `json:"kind,omitzero"`
	Password string      `json:"password,omitempty"` // the signing password, where the scheme lets it stand in for that
}

// EnableScreenLock lets a gesture stand in for the PIN (R51), or for the signing password
// where the scheme allows it (K3).
func (p *Phones) EnableScreenLock(ctx context.Context, id string, in ScreenLock) error {
	kind, typed := warifu.Authentication, in.PIN
	if in.Kind == warifu.Signature {
		kind, typed = warifu.Signature, in.Password
	}
	return p.with(ctx, id, func(o *owned) error {
		return o.app.EnableScreenLockFor(ctx, kind, typed, phone.Gesture{Method: in.Method, Shown: in.Shown})
	})
}

// DisableScreenLock forgets what is wrapped.
func (p *Phones) DisableScreenLock(ctx context.Context, id string) error {
	return p.with(ctx, id, func(o *owned) error { return o.app.DisableScreenLock() })
}

// Enrol adds a finger, a face, a PIN or a pattern to the phone's own screen lock: a new
// biometric makes what was wrapped before worthless.
func (p *Phones) Enrol(ctx context.Context, id string, in Unlock) error {
	return p.with(ctx, id, func(o *owned) error {
		return o.handset.ScreenLock().Enrol(phone.Gesture{Method: in.Method, Shown: in.Shown})
	})
}

// View is a phone as its page shows it.
type View struct {
	handset.Record
	App         phone.State         `json:"app"`
	Methods     []phone.Method      `json:"methods"` // of the screen lock
	ScreenLock  bool                `json:"screenLock"`
	LockedKinds []warifu.Kind       `json:"screenLockKinds,omitempty"` // what the screen lock stands in for
	Tries       map[warifu.Kind]int `json:"tries,omitempty"`           // left on the phone's own passwords
	Application *phone.Application  `json:"application,omitempty"`
	Kinds       []phone.Validity    `json:"kinds,omitempty"` // what chip and server say
	Reminders   []phone.Reminder    `json:"reminders,omitempty"`
}

// View looks at one phone. A server that cannot be asked leaves Application out.
func (p *Phones) View(ctx context.Context, id string) (View, error) {
	var v View
	err := p.with(ctx, id, func(o *owned) error {
		state, err := o.app.State()
		if err != nil {
			return err
		}
		v = View{Record: o.handset.Record, App: state, Methods: o.handset.ScreenLock().Methods(), ScreenLock: len(state.ScreenLock) > 0}
		for kind := range state.ScreenLock {
			v.LockedKinds = append(v.LockedKinds, kind)
		}
		slices.Sort(v.LockedKinds)
		v.App.ScreenLock = nil
		if state.Personalized {
			v.Tries = tries(ctx, o.app, state.Kinds)
		}
		if a, err := o.app.Status(ctx); err == nil {
			a = p.local(a)
			v.Application = &a
		}
		if kinds, err := o.app.Check(ctx); err == nil {
			v.Kinds = kinds
		}
		if reminders, err := o.app.Reminders(ctx); err == nil {
			v.Reminders = reminders
		}
		return nil
	})
	return v, err
}

func tries(ctx context.Context, app *phone.App, kinds []warifu.Kind) map[warifu.Kind]int {
	left := map[warifu.Kind]int{}
	for _, kind := range kinds {
		if n, err := app.TriesLeft(ctx, kind); err == nil {
			left[kind] = n
		}
	}
	return left
}
