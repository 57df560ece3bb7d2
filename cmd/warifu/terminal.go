package main

import (
	"fmt"
	"slices"

	"warifu/profile"
	"warifu/sandbox/handset"
	"warifu/sandbox/reader"
	"warifu/scheme"
)

// terminal is what kiosk and clinic have in common: where the chip is, and its PIN.
type terminal struct {
	Chip    string `placeholder:"ID" help:"A card or phone of the running demo: taro, phone-1."`
	Reader  string `placeholder:"NAME" help:"A PC/SC reader, by its name or a part of it that no other has (warifu kiosk readers)."`
	VPCD    string `name:"vpcd" placeholder:"HOST:PORT" help:"Listen here as a virtual reader for a chip that dials in, as 'warifu phone serve --vpcd' does."`
	Phone   bool   `help:"What is put on the reader is a phone and not a card; a chip of the demo is known."`
	PIN     string `name:"pin" help:"The four-digit PIN of that card or that phone; asked for where left out."`
	LastTry bool   `help:"Go on although one try is left for the PIN."`
	Scheme  string `enum:"jp-mobile,jp-mobile-strict,jp-mobile-2023,badge" default:"jp-mobile" help:"Whose opening dates and forms count: that of the demo's world."`
}

// open returns the reader, what is said to be put there ("phone" or "card"), and the PIN.
func (t terminal) open(s *session) (source reader.Source, medium, pin string, err error) {
	medium = profile.ClassCard.String()
	if t.Phone {
		medium = profile.ClassPhone.String()
	}
	given := 0
	for _, where := range []string{t.Chip, t.Reader, t.VPCD} {
		if where != "" {
			given++
		}
	}
	if given != 1 {
		return nil, "", "", usage("--chip, --reader, --vpcd")
	}
	switch {
	case t.Reader != "":
		source = reader.PCSC(t.Reader)
	case t.VPCD != "":
		if source, err = s.virtual(t.VPCD); err != nil {
			return nil, "", "", err
		}
	default:
		if source, medium, err = s.demoChip(t.Chip, medium); err != nil {
			return nil, "", "", err
		}
	}
	key := "cli.ask-card-pin"
	if medium == profile.ClassPhone.String() {
		key = "cli.ask-phone-pin"
	}
	pin, err = s.ask(t.PIN, key)
	return source, medium, pin, err
}

// virtual is a reader of this process, and says where it listens.
func (s *session) virtual(address string) (reader.Source, error) {
	v := reader.VPCD(address)
	where, err := v.Address(s.ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(s.std.err, s.sentence("cli.waiting-for-chip", map[string]string{"address": where}))
	return v, nil
}

// demoChip is a chip of the running demo; its phones are phones.
func (s *session) demoChip(id, medium string) (reader.Source, string, error) {
	d, err := s.desk()
	if err != nil {
		return nil, "", err
	}
	phones, err := s.phones()
	if err != nil {
		return nil, "", err
	}
	var list []handset.Record
	if err := phones.Get(s.ctx, "/api/phones", &list); err != nil {
		return nil, "", err
	}
	if slices.ContainsFunc(list, func(h handset.Record) bool { return h.ID == id }) {
		medium = profile.ClassPhone.String()
	}
	return reader.Demo(d, id), medium, nil
}

// rules are those of the scheme.
func (t terminal) rules() (*scheme.Scheme, error) { return scheme.Shipped(t.Scheme) }
