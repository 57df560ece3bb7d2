package main

import (
	"time"

	"warifu"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/reader"
	"warifu/scheme"
)

type cardApprove struct {
	approval
	Card     string `help:"Whose card of the running demo is put in the reader."`
	Reader   string `placeholder:"NAME" help:"A PC/SC reader of this computer instead, by its name or a part of it that no other has."`
	PIN      string `name:"pin" help:"The *card's* four-digit PIN; asked for if not given."`
	Password string `name:"card-password" help:"The *card's* signing password, where an attribute is told or a document is signed; asked for if not given."`
}

// cardPlace is where the card is: at the demo's desk, or in a reader of this computer.
type cardPlace interface {
	asked(link string) (phones.LoginAsked, error)
	answer(in desk.ApproveByCard, q phone.LoginQuestion) (phones.Decided, error)
}

func (c cardApprove) Run(s *session) error {
	at, err := c.place(s)
	if err != nil {
		return err
	}
	asked, err := at.asked(c.Link)
	if err != nil {
		return err
	}
	if err := c.show(s, asked.LoginQuestion); err != nil {
		return err
	}
	in := desk.ApproveByCard{Link: phones.Link{Link: c.Link}, Attributes: c.told(asked.LoginQuestion), Number: c.Number, Decline: c.Decline, Seen: asked.Seen}
	if !c.Decline {
		if in.PIN, err = s.ask(c.PIN, "cli.ask-card-authentication"); err != nil {
			return err
		}
		if len(in.Attributes) > 0 || asked.Sign != nil {
			if in.CardPassword, err = s.ask(c.Password, "cli.ask-card-signature"); err != nil {
				return err
			}
		}
	}
	out, err := at.answer(in, asked.LoginQuestion)
	if err != nil {
		return err
	}
	return c.tell(s, asked.LoginQuestion, out)
}

func (c cardApprove) place(s *session) (cardPlace, error) {
	if (c.Card == "") == (c.Reader == "") {
		return nil, usage("--card, --reader")
	}
	d, err := s.desk()
	if err != nil {
		return nil, err
	}
	if c.Card != "" {
		return atDesk{s, d, c.Card}, nil
	}
	server, err := phone.NewServer(s.server, nil)
	if err != nil {
		return nil, err
	}
	rules, err := scheme.Shipped(scheme.Names[0]) // the form of a card's passwords is the same in all
	return atReader{s, reader.PCSC(c.Reader), phone.Elsewhere{Server: server, Scheme: rules, Clock: s.worldClock(d)}}, err
}

// atDesk is the demo's desk, a computer with a card reader.
type atDesk struct {
	s    *session
	desk doorway.Client
	card string
}

func (a atDesk) asked(link string) (out phones.LoginAsked, err error) {
	err = a.desk.Post(a.s.ctx, "/api/asked", phones.Link{Link: link}, &out)
	return out, err
}

func (a atDesk) answer(in desk.ApproveByCard, _ phone.LoginQuestion) (out phones.Decided, err error) {
	err = a.desk.Post(a.s.ctx, "/api/cards/"+a.card+"/approve", in, &out)
	return out, err
}

// atReader is a PC/SC reader of this computer.
type atReader struct {
	s      *session
	reader reader.Source
	at     phone.Elsewhere
}

func (a atReader) asked(link string) (out phones.LoginAsked, err error) {
	out.LoginQuestion, err = a.at.Asked(a.s.ctx, link)
	return out, err
}

func (a atReader) answer(in desk.ApproveByCard, q phone.LoginQuestion) (out phones.Decided, err error) {
	if out.Declined = in.Decline; in.Decline {
		out.Approved, err = a.at.Decline(a.s.ctx, q)
		return out, err
	}
	chip, err := a.reader.Tap(a.s.ctx)
	if err != nil {
		return out, err
	}
	defer chip.Close()
	out.Approved, err = a.at.Approve(a.s.ctx, q, phone.CardAgreement{
		Attributes: in.Attributes, Number: in.Number, Card: chip, PIN: in.PIN, Password: in.CardPassword,
	})
	return out, err
}

// ahead is a clock that goes before the machine's, as a sandbox's world may.
type ahead time.Duration

func (a ahead) Now() time.Time { return warifu.SystemClock{}.Now().Add(time.Duration(a)) }

// worldClock is the demo's clock; the machine's where there is no demo.
func (s *session) worldClock(d doorway.Client) warifu.Clock {
	var told desk.Time
	asked := warifu.SystemClock{}.Now() // from before the question, lest it be behind the world's
	if err := d.Get(s.ctx, "/api/clock", &told); err != nil {
		return warifu.SystemClock{}
	}
	return ahead(told.Now.Sub(asked))
}
