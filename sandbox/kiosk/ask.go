package kiosk

import (
	"cmp"
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
	v, err := k.terminals.At(id, StepChoose)
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

// back goes to the question before.
func (v *visit) back() {
	switch v.stand().Name {
	case askWhom:
		v.ask = askDocument
	case askRelation:
		v.ask = askWhom
	case askCopies:
		v.ask = askRelation
		if v.draft.Document == municipality.Seal {
			v.ask = askDocument
		}
	case screenPay:
		if v.Paid == 0 {
			v.Step, v.ask = StepChoose, askCopies
		}
	}
}

// The other screens besides those of package terminal.
const (
	screenClosed   = "closed"
	screenPay      = "pay"
	screenPrinting = "printing"
	screenDone     = "done"
)

// stand tells at which screen the visit stands, once the chip has answered.
func (v *visit) stand() terminal.Screen {
	switch v.Step {
	case StepChoose:
		s := terminal.Screen{Name: cmp.Or(v.ask, askDocument), Stop: true}
		s.Back = s.Name != askDocument
		return s
	case StepPay:
		s := terminal.Screen{Name: screenPay, Stop: true, Back: v.Paid == 0}
		if v.Paid >= v.Fee {
			s.Ask = "kiosk.q-paid"
		}
		return s
	}
	return terminal.Screen{Name: screenDone}
}
