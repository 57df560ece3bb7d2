package kiosk

import (
	"slices"

	"warifu"
	"warifu/sandbox/municipality"
	"warifu/sandbox/terminal"
)

// The screens on which a paper is chosen, one question each.
const (
	askDocument = "document"
	askWhom     = "whom"
	askRelation = "relation"
	askCopies   = "copies"
)

// answer is what a screen was answered with; only the field of the question asked counts.
type answer struct {
	document            string
	household, relation bool
	copies              int
}

// answered takes the answer to the question that the visit is at. The last one chooses.
func (k *Kiosk) answered(id string, a answer) error {
	v, err := k.at(id, StepChoose)
	if err != nil {
		return err
	}
	switch v.ask {
	case askWhom:
		v.draft.Options.Household, v.ask = a.household, askRelation
	case askRelation:
		v.draft.Options.Relation, v.ask = a.relation, askCopies
	case askCopies:
		v.draft.Copies = a.copies
		choice := v.draft
		v.Unlock()
		_, err := k.Choose(id, choice)
		return err
	default:
		err = v.chooses(a.document)
	}
	v.Unlock()
	return err
}

// chooses takes the paper; questions about a household are asked for one alone.
func (v *visit) chooses(document string) error {
	i := slices.IndexFunc(v.Offers, func(o municipality.Offer) bool { return o.Document == document })
	switch {
	case i < 0:
		return warifu.Invalid("kiosk-request-malformed")
	case v.Offers[i].Refused != nil:
		return warifu.Refused(v.Offers[i].Refused.Problem)
	}
	v.draft, v.ask, v.Refund = Choice{Document: document}, askCopies, 0
	if document == municipality.Residence {
		v.ask = askWhom
	}
	return nil
}

// back goes to the question before; it reports whether there was none, which is the way out.
func (k *Kiosk) back(id string) (out bool, err error) {
	v, err := k.at(id)
	if err != nil {
		return false, err
	}
	defer v.Unlock()
	switch screen := v.screen(); {
	case screen == terminal.ScreenTap:
		v.hand.Forget()
	case screen == askWhom, screen == askCopies && v.draft.Document == municipality.Seal:
		v.ask = askDocument
	case screen == askRelation:
		v.ask = askWhom
	case screen == askCopies:
		v.ask = askRelation
	case screen == screenPay && v.Paid == 0:
		v.Step, v.ask = StepChoose, askCopies
	case v.Step == StepTouch:
		return true, nil
	}
	return false, nil
}

// The other screens.
const (
	screenWelcome  = "welcome"
	screenClosed   = "closed"
	screenReading  = "reading"
	screenPay      = "pay"
	screenPrinting = "printing"
	screenDone     = "done"
)

// screen is the one that the visit stands at.
func (v *visit) screen() string {
	switch v.Step {
	case StepTouch:
		return v.hand.Screen(v.LastTry)
	case StepChoose:
		if v.ask == "" {
			return askDocument
		}
		return v.ask
	case StepPay:
		return screenPay
	}
	return screenDone
}

// backFrom reports whether a screen has one before it.
func (v View) backFrom(screen string) bool {
	switch screen {
	case terminal.ScreenPIN, terminal.ScreenLast, terminal.ScreenTap, askWhom, askRelation, askCopies:
		return true
	case screenPay:
		return v.Paid == 0
	}
	return false
}
