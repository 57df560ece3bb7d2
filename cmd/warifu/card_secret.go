package main

import (
	"time"

	"warifu"
	"warifu/sandbox/counter"
	"warifu/sandbox/desk"
)

// ofCard names a card and one of its passwords.
type ofCard struct {
	Card string `arg:"" help:"The person's identifier, as card list has it."`
	Kind string `enum:"signature,authentication" default:"authentication" help:"Which of the *card's* passwords: signature or authentication."`
}

// post sends what in says of the card's password to a door of the desk.
func (c ofCard) post(s *session, door string, in, out any) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	return d.Post(s.ctx, "/api/cards/"+c.Card+"/"+door, in, out)
}

func (c ofCard) kind() warifu.Kind {
	kind, _ := warifu.ParseKind(c.Kind) // the command line allows no other
	return kind
}

type cardPasswd struct {
	ofCard
	Current string `help:"The present one; asked for if not given."`
	Next    string `help:"The new one; asked for if not given."`
}

func (c cardPasswd) Run(s *session) (err error) {
	in := desk.ChangePIN{Kind: c.kind()}
	if in.Current, err = s.ask(c.Current, "cli.ask-card-"+c.Kind); err != nil {
		return err
	}
	if in.Next, err = s.ask(c.Next, "cli.ask-card-new"); err != nil {
		return err
	}
	if err := c.post(s, "secret", in, nil); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.card-password-changed", nil)
}

type cardUnlock struct {
	ofCard
	At     string `enum:"counter,kiosk" default:"counter" help:"Where: counter (an official recognises the holder) or kiosk (within twenty-four hours of card face-check, with the other password)."`
	Next   string `help:"The new one; asked for if not given."`
	Other  string `help:"At a kiosk: the card's other password; asked for if not given."`
	Proxy  bool   `help:"At the counter: a proxy comes. Without --letter the town hall first writes to the holder."`
	Letter string `help:"The number in the letter that went to the holder."`
}

func (c cardUnlock) Run(s *session) (err error) {
	if c.Proxy && c.Letter == "" && c.Next == "" {
		return c.inquire(s)
	}
	in := desk.UnlockPIN{Kind: c.kind(), At: c.At, Proxy: c.Proxy, Letter: c.Letter}
	if c.At == desk.AtKiosk {
		if in.Other, err = s.ask(c.Other, "cli.ask-card-other"); err != nil {
			return err
		}
	}
	if in.Next, err = s.ask(c.Next, "cli.ask-card-new"); err != nil {
		return err
	}
	if err := c.post(s, "unlock", in, nil); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.card-unlocked", nil)
}

// inquire has the letter sent that a proxy needs.
func (c cardUnlock) inquire(s *session) error {
	var letter counter.Letter
	if err := c.post(s, "letters", desk.OfKind{Kind: c.kind()}, &letter); err != nil {
		return err
	}
	return s.say(letter, "cli.card-letter-sent", map[string]string{"address": letter.Address})
}

type cardFace struct{ ofCard }

func (c cardFace) Run(s *session) error {
	if err := c.post(s, "face-check", desk.OfKind{Kind: c.kind()}, nil); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.card-booked", nil)
}

type cardLetters struct {
	Card string `arg:"" help:"The person's identifier."`
}

func (c cardLetters) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var letters []counter.Letter
	if err := d.Get(s.ctx, "/api/cards/"+c.Card+"/letters", &letters); err != nil {
		return err
	}
	rows := [][]string{s.heads("when", "number", "kind", "address", "used")}
	for _, l := range letters {
		used := "no"
		if l.Used {
			used = "yes"
		}
		rows = append(rows, []string{l.At.Format(time.DateOnly), l.Number, s.kind(l.Kind), l.Address, s.word(used)})
	}
	return s.table(letters, rows)
}
