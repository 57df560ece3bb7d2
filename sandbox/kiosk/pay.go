package kiosk

import (
	"context"
	"slices"

	"warifu"
	"warifu/sandbox/municipality"
)

// Coins are what the machine takes, in yen. They are invented, as is everything they buy.
var Coins = []int{10, 50, 100, 500, 1000}

// Insert puts one coin in.
func (k *Kiosk) Insert(id string, yen int) (View, error) {
	v, err := k.terminals.At(id, StepPay)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	if !slices.Contains(Coins, yen) {
		return v.View, warifu.Refused("kiosk-coin-refused")
	}
	if v.Paid >= v.Fee {
		return v.View, warifu.Conflict("kiosk-paid-already")
	}
	v.Paid += yen
	return v.View, nil
}

// Print has the paper made and gives the change. Where the municipality makes none, all
// that was paid is given back, and the person may choose again.
func (k *Kiosk) Print(ctx context.Context, id string) (View, error) {
	v, err := k.terminals.At(id, StepPay)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	if v.Paid < v.Fee {
		return v.View, warifu.Refused("kiosk-fee-short")
	}
	v.file, err = k.config.Town.paper(ctx, municipality.Order{Authentication: v.answer, Document: v.Document, Options: v.options, Copies: v.Copies})
	k.terminals.Stay(v)
	if err != nil {
		v.Step, v.Refund, v.Paid, v.ask = StepChoose, v.Paid, 0, askDocument
		return v.View, err
	}
	v.Step, v.Refund = StepDone, v.Paid-v.Fee
	v.answer = municipality.Authentication{} // it has served
	return v.View, nil
}

// Paper is what lies in the tray.
func (k *Kiosk) Paper(id string) ([]byte, error) {
	v, err := k.terminals.At(id, StepDone)
	if err != nil {
		return nil, err
	}
	defer v.Unlock()
	return v.file, nil
}
