package main

import (
	"warifu"
	"warifu/sandbox/desk"
)

// orderedByCard is an order made with the card at a PC: no phone is at hand (K9).
type orderedByCard struct {
	Card         string   `arg:"" help:"Whose card is put in the reader."`
	Kinds        []string `help:"Which certificates: signature, authentication; by default both."`
	CardPassword string   `help:"The *card's* signing password; asked for if not given."`
}

func (c orderedByCard) carryOut(s *session, in desk.Order) error {
	var err error
	if in.Kinds, err = kindsNamed(c.Kinds); err != nil {
		return err
	}
	if in.CardPassword, err = s.ask(c.CardPassword, "cli.ask-card-signature"); err != nil {
		return err
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	var out desk.Ordered
	if err := d.Post(s.ctx, "/api/cards/"+c.Card+"/orders", in, &out); err != nil {
		return err
	}
	return s.standing(out, out.Credentials)
}

type cardSuspend struct {
	orderedByCard
	Reason string `enum:"lost,own-wish,repair" default:"lost" help:"Why: lost, own-wish or repair."`
	Until  string `placeholder:"INSTANT" help:"When a repair ends."`
}

func (c cardSuspend) Run(s *session) error {
	in := desk.Order{Verb: warifu.VerbSuspend, Reason: warifu.HoldReason(c.Reason)}
	if c.Until != "" {
		var err error
		if in.Until, err = s.instant(c.Until); err != nil {
			return err
		}
	}
	return c.carryOut(s, in)
}

type cardResume struct {
	orderedByCard
	Reason string `enum:"lost,own-wish,repair" default:"lost" help:"Which hold to lift: lost, own-wish or repair."`
}

func (c cardResume) Run(s *session) error {
	return c.carryOut(s, desk.Order{Verb: warifu.VerbResume, Reason: warifu.HoldReason(c.Reason)})
}

type cardRevoke struct{ orderedByCard }

func (c cardRevoke) Run(s *session) error { return c.carryOut(s, desk.Order{Verb: warifu.VerbRevoke}) }

type suspendCodeCommand struct {
	Code []string `arg:"" help:"The suspension code, in groups or not."`
}

func (c suspendCodeCommand) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	typed := ""
	for _, group := range c.Code {
		typed += group + " "
	}
	if err := d.Post(s.ctx, "/api/suspensions", desk.Code{Code: typed}, nil); err != nil {
		return err
	}
	return s.say(struct {
		Held bool `json:"held"`
	}{true}, "cli.suspended-by-code", nil)
}
