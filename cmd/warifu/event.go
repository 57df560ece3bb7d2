package main

import (
	"fmt"

	"warifu/sandbox/desk"
)

// eventCommand is the life of a person, as the card bureau hears of it.
type eventCommand struct {
	Event     string `arg:"" enum:"move,marry,renew,lose-card,find-card,revoke-card,birthday,die" help:"move, marry, renew, lose-card, find-card, revoke-card, birthday or die."`
	Card      string `arg:"" help:"Whose life it is, as card list has it."`
	Signature string `help:"The *card's* new signing password, for a renewal at fifteen."`
}

func (c eventCommand) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var out desk.Happened
	if err := d.Post(s.ctx, "/api/cards/"+c.Card+"/events", desk.Happening{Event: c.Event, Signature: c.Signature}, &out); err != nil {
		return err
	}
	if err := s.say(out, "cli.event-done", map[string]string{"name": out.Name, "address": out.Address, "state": out.State}); err != nil || s.json {
		return err
	}
	for _, line := range desk.CascadeLines(out.Cascade, s.lang) {
		if _, err := fmt.Fprintln(s.std.out, " ", line); err != nil {
			return err
		}
	}
	return nil
}
