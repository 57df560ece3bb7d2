package main

import (
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/phones"
)

// contactFlags are a contact as it is typed.
type contactFlags struct {
	Reading   string `required:"" help:"Reading of the holder's name, in kana of any width."`
	Telephone string `required:"" help:"With its area code."`
	BirthDate string `help:"1980-12-17; by default as the card says."`
}

func (c contactFlags) contact() phone.Contact {
	return phone.Contact{Reading: c.Reading, BirthDate: c.BirthDate, Telephone: c.Telephone}
}

// contactDone is the answer to a change of contact.
type contactDone struct {
	Registered bool `json:"registered"`
}

type phoneContact struct {
	onPhone
	contactFlags
	Password string `help:"The *phone's* signing password; asked for if neither is given."`
	PIN      string `name:"pin" help:"The *phone's* PIN instead, where there is no signing certificate."`
}

func (c phoneContact) Run(s *session) error {
	in := phones.ContactChange{Contact: c.contact(), Password: c.Password, PIN: c.PIN}
	if in.PIN == "" {
		var err error
		if in.Password, err = s.ask(c.Password, "cli.ask-phone-signature"); err != nil {
			return err
		}
	}
	if err := c.do(s, "contact", in, nil); err != nil {
		return err
	}
	return s.say(contactDone{true}, "cli.contact-registered", nil)
}

type cardContact struct {
	Card string `arg:"" help:"Whose card is put in the reader."`
	contactFlags
	CardPassword string `help:"The *card's* signing password; asked for if not given."`
}

func (c cardContact) Run(s *session) error {
	password, err := s.ask(c.CardPassword, "cli.ask-card-signature")
	if err != nil {
		return err
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	if err := d.Post(s.ctx, "/api/cards/"+c.Card+"/contact", desk.ContactByCard{Contact: c.contact(), CardPassword: password}, nil); err != nil {
		return err
	}
	return s.say(contactDone{true}, "cli.contact-registered", nil)
}

// noticesCommand shows what the world sent to registered telephones.
type noticesCommand struct{}

func (noticesCommand) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var out struct {
		Notices []desk.Notice `json:"notices"`
	}
	if err := d.Get(s.ctx, "/api/notices", &out); err != nil {
		return err
	}
	var rows [][]string
	for _, n := range out.Notices {
		said := n.TextEn
		if s.lang == "ja" {
			said = n.TextJa
		}
		rows = append(rows, []string{n.At, n.Telephone, n.Occasion, said})
	}
	return s.table(out, rows)
}
