package kiosk

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"slices"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/municipality"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
)

// Step is where a visit stands.
type Step string

// The steps.
const (
	StepTouch  Step = "touch"  // the card or phone is to be touched and its PIN typed
	StepChoose Step = "choose" // a paper is to be chosen
	StepPay    Step = "pay"
	StepDone   Step = "done" // the paper lies in the tray
)

// View is a visit as the screen shows it.
type View struct {
	ID       string               `json:"id"`
	Step     Step                 `json:"step"`
	Medium   string               `json:"medium"`            // "phone" or "card"
	LastTry  bool                 `json:"lastTry,omitempty"` // one try is left for the PIN, and the person has to say that they are sure
	Town     *municipality.Town   `json:"municipality,omitempty"`
	Offers   []municipality.Offer `json:"offers,omitempty"`
	Document string               `json:"document,omitempty"`
	Copies   int                  `json:"copies,omitempty"`
	Fee      int                  `json:"fee"`              // yen, of all copies
	Paid     int                  `json:"paid"`             // yen
	Refund   int                  `json:"refund,omitempty"` // yen given back: after a failure, or as change
	Expires  time.Time            `json:"expires"`          // when the visit is over if nobody does anything
}

// visit is a View with what nobody is shown. Its lock is held while a step is under way.
type visit struct {
	sync.Mutex
	View
	class   profile.Class
	hand    terminal.Hand
	touched string // what was touched last, in the demo
	ask     string // which screen asks, while a paper is chosen
	draft   Choice // what was answered so far
	answer  municipality.Authentication
	options municipality.Options
	file    []byte
}

// classOf reads what a person says they will touch.
func classOf(medium string) (profile.Class, error) {
	switch medium {
	case profile.ClassPhone.String():
		return profile.ClassPhone, nil
	case profile.ClassCard.String():
		return profile.ClassCard, nil
	}
	return 0, warifu.Invalid("kiosk-request-malformed")
}

// Begin begins a visit with "phone" or "card".
func (k *Kiosk) Begin(medium string) (View, error) {
	class, err := classOf(medium)
	if err != nil {
		return View{}, err
	}
	if err := k.open(class); err != nil {
		return View{}, err
	}
	var octets [20]byte
	if _, err := rand.Read(octets[:]); err != nil {
		return View{}, err
	}
	v := &visit{View: View{ID: strings.ToLower(base32.StdEncoding.EncodeToString(octets[:])), Step: StepTouch, Medium: medium, Expires: k.config.Clock.Now().Add(idle)}, class: class}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep()
	if len(k.visits) >= maxVisits {
		return View{}, warifu.TooMany("kiosk-in-use")
	}
	k.visits[v.ID] = v
	return v.View, nil
}

// sweep forgets whoever went away: their coins fell out of the machine.
func (k *Kiosk) sweep() {
	now := k.config.Clock.Now()
	for id, v := range k.visits {
		if v.TryLock() { // not in the middle of a step
			if now.After(v.Expires) {
				delete(k.visits, id)
				k.works.Forget(id)
			}
			v.Unlock()
		}
	}
}

// at takes a visit that stands at one of the steps; the caller unlocks it.
func (k *Kiosk) at(id string, steps ...Step) (*visit, error) {
	k.mu.Lock()
	k.sweep()
	v, ok := k.visits[id]
	k.mu.Unlock()
	if !ok {
		return nil, warifu.NotFound("kiosk-visit-over")
	}
	if !v.TryLock() { // a second tab, or a second press of a button
		return nil, warifu.Conflict("kiosk-in-use")
	}
	if len(steps) > 0 && !slices.Contains(steps, v.Step) {
		v.Unlock()
		return nil, warifu.Conflict("kiosk-step-other")
	}
	v.Expires = k.config.Clock.Now().Add(idle)
	return v, nil
}

// Visit tells where a visit stands.
func (k *Kiosk) Visit(id string) (View, error) {
	v, err := k.at(id)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	return v.View, nil
}

// Touch is a card or phone held to the reader, with the PIN that was typed. Chip names it in
// the demo; a real reader has its own.
type Touch struct {
	Chip    string `json:"chip"`
	PIN     string `json:"pin"`
	LastTry bool   `json:"lastTry"`
}

// Touch has the chip answer the municipality's question and asks what the person may have.
// Errors: those of reader.Prove and of the municipality.
func (k *Kiosk) Touch(ctx context.Context, id string, t Touch) (View, error) {
	v, err := k.at(id, StepTouch)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	view, err := k.touch(ctx, v, t)
	v.hand.After(err)
	return view, err
}

func (k *Kiosk) touch(ctx context.Context, v *visit, t Touch) (View, error) {
	source, err := k.source(t.Chip)
	if err != nil {
		return v.View, err
	}
	if k.config.Reader != nil {
		if !k.using.TryLock() {
			return v.View, warifu.Conflict("kiosk-in-use")
		}
		defer k.using.Unlock()
	}
	question, err := k.config.Town.ask(ctx)
	if err != nil {
		return v.View, err
	}
	proof, err := reader.Prove(ctx, source, reader.Touch{Class: v.class, PIN: t.PIN, LastTry: t.LastTry, Question: question.Presence(), Scheme: k.config.Scheme})
	v.Expires = k.config.Clock.Now().Add(idle)
	if err != nil {
		v.LastTry = strings.HasPrefix(warifu.ProblemOf(err).Problem, "reader-last-try")
		return v.View, err
	}
	v.answer = municipality.Authentication{Transaction: question.Transaction, Certificate: proof.Certificate.Raw, Signature: proof.Signature}
	offers, err := k.config.Town.offers(ctx, v.answer)
	if err != nil {
		return v.View, err
	}
	v.Step, v.LastTry, v.Town, v.Offers = StepChoose, false, &offers.Municipality, offers.Offers
	return v.View, nil
}

// Choice is a paper with its copies.
type Choice struct {
	Document string               `json:"document"`
	Options  municipality.Options `json:"options"`
	Copies   int                  `json:"copies"`
}

// Choose chooses a paper, or another one while nothing is paid yet.
func (k *Kiosk) Choose(id string, c Choice) (View, error) {
	v, err := k.at(id, StepChoose, StepPay)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	i := slices.IndexFunc(v.Offers, func(o municipality.Offer) bool { return o.Document == c.Document })
	switch {
	case i < 0 || c.Copies < 1 || c.Copies > municipality.MaxCopies || c.Document == municipality.Seal && c.Options != (municipality.Options{}):
		return v.View, warifu.Invalid("kiosk-request-malformed")
	case v.Offers[i].Refused != nil:
		return v.View, warifu.Refused(v.Offers[i].Refused.Problem)
	case v.Paid > 0:
		return v.View, warifu.Conflict("kiosk-step-other")
	}
	v.Step, v.Document, v.Copies, v.options, v.Fee, v.Refund = StepPay, c.Document, c.Copies, c.Options, c.Copies*v.Offers[i].Fee, 0
	return v.View, nil
}
