package kiosk

import (
	"context"
	"slices"

	"warifu"
	"warifu/sandbox/municipality"
	"warifu/sandbox/terminal"
)

// The steps.
const (
	StepTouch                = terminal.StepTouch
	StepChoose terminal.Step = "choose" // a paper is to be chosen
	StepPay    terminal.Step = "pay"
	StepDone                 = terminal.StepDone // the paper lies in the tray
)

// View is a visit as the screen shows it.
type View struct {
	terminal.Visit
	Town     *municipality.Town   `json:"municipality,omitempty"`
	Offers   []municipality.Offer `json:"offers,omitempty"`
	Document string               `json:"document,omitempty"`
	Copies   int                  `json:"copies,omitempty"`
	Fee      int                  `json:"fee"`              // yen, of all copies
	Paid     int                  `json:"paid"`             // yen
	Refund   int                  `json:"refund,omitempty"` // yen given back: after a failure, or as change
}

// visit is a View with what nobody is shown.
type visit struct {
	terminal.Standing
	View
	ask     string // which screen asks, while a paper is chosen
	draft   Choice // what was answered so far
	answer  municipality.Authentication
	options municipality.Options
	file    []byte
}

// Shown implements terminal.Part.
func (v *visit) Shown() View { return v.View }

// Begin begins a visit with "phone" or "card".
func (k *Kiosk) Begin(medium string) (View, error) { return k.terminals.Begin(medium, &visit{}) }

// Visit tells where a visit stands.
func (k *Kiosk) Visit(id string) (View, error) { return k.terminals.Visit(id) }

// Leave ends a visit: nothing of it is kept, and what was paid for nothing is given back.
func (k *Kiosk) Leave(id string) (refund int, err error) {
	v, err := k.terminals.Leave(id)
	if err != nil {
		return 0, err
	}
	return v.coins(), nil
}

// coins are what was paid for nothing yet.
func (v *visit) coins() int {
	if v.Step == StepPay {
		return v.Paid
	}
	return 0
}

// Touch is a card or phone held to the reader, with the PIN that was typed.
type Touch = terminal.Touch

// Touch has the chip answer the municipality's question and asks what the person may have.
// Errors: those of reader.Prove and of the municipality.
func (k *Kiosk) Touch(ctx context.Context, id string, t Touch) (View, error) {
	return k.terminals.Touch(ctx, id, t, func(v *visit, prove terminal.Prove) error {
		question, err := k.config.Town.ask(ctx)
		if err != nil {
			return err
		}
		proof, err := prove(question.Presence())
		if err != nil {
			return err
		}
		v.answer = municipality.Authentication{Transaction: question.Transaction, Certificate: proof.Certificate.Raw, Signature: proof.Signature}
		offers, err := k.config.Town.offers(ctx, v.answer)
		if err != nil {
			return err
		}
		v.Step, v.Town, v.Offers = StepChoose, &offers.Municipality, offers.Offers
		return nil
	})
}

// Choice is a paper with its copies.
type Choice struct {
	Document string               `json:"document"`
	Options  municipality.Options `json:"options"`
	Copies   int                  `json:"copies"`
}

// Choose chooses a paper, or another one while nothing is paid yet.
func (k *Kiosk) Choose(id string, c Choice) (View, error) {
	v, err := k.terminals.At(id, StepChoose, StepPay)
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
