package main

import (
	"warifu"
	"warifu/phone"
	"warifu/sandbox/bank"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
)

// opening is how the phone's authentication key is opened.
type opening struct {
	PIN    string `name:"pin" help:"The *phone's* four-digit PIN; asked for if not given."`
	Method string `name:"screen-lock" placeholder:"METHOD" help:"Open with the screen lock instead: fingerprint, face, device-pin, pattern."`
	Shown  string `default:"thumb" help:"What is shown to the screen lock: which finger, which PIN."`
}

func (c opening) unlock(s *session) (phones.Unlock, error) {
	if c.Method != "" {
		return phones.Unlock{Method: phone.Method(c.Method), Shown: c.Shown}, nil
	}
	pin, err := s.ask(c.PIN, "cli.ask-phone-authentication")
	return phones.Unlock{PIN: pin}, err
}

type phoneLogin struct {
	onPhone
	opening
	At string `placeholder:"URL" help:"Where the relying party's question is; the sandbox's bank by default."`
}

func (c phoneLogin) Run(s *session) error {
	asked, party, err := c.question(s)
	if err != nil {
		return err
	}
	unlock, err := c.unlock(s)
	if err != nil {
		return err
	}
	var answer phone.Answer
	if err := c.do(s, "login", phones.Login{Question: asked.Question, Seen: party.Origin(), Unlock: unlock}, &answer); err != nil {
		return err
	}
	var customer bank.Customer
	if err := party.Post(s.ctx, asked.Answer, answer, &customer); err != nil {
		return err
	}
	return s.say(customer, "cli.logged-in", map[string]string{"subject": customer.Subject, "at": party.Origin()})
}

// question fetches the question at --at, or has the bank ask a new one.
func (c phoneLogin) question(s *session) (bank.Asked, doorway.Client, error) {
	var asked bank.Asked
	if c.At != "" {
		party := doorway.NewClient(c.At)
		err := party.Get(s.ctx, "", &asked)
		party.Base = party.Origin()
		return asked, party, err
	}
	p, err := s.places()
	if err != nil {
		return asked, doorway.Client{}, err
	}
	party := doorway.NewClient(p.Bank)
	return asked, party, party.Post(s.ctx, "/api/login", struct{}{}, &asked)
}

type phonePasswd struct {
	onPhone
	Kind    string `enum:"signature,authentication" default:"authentication" help:"Which of the phone's passwords."`
	Current string `help:"The present one; asked for if not given."`
	Next    string `help:"The new one; asked for if not given."`
}

func (c phonePasswd) Run(s *session) error {
	kind, err := warifu.ParseKind(c.Kind)
	if err != nil {
		return err
	}
	in := phones.ChangeSecret{Kind: kind}
	if in.Current, err = s.ask(c.Current, "cli.ask-phone-"+c.Kind); err != nil {
		return err
	}
	if in.Next, err = s.ask(c.Next, "cli.ask-phone-new"); err != nil {
		return err
	}
	var out phones.Changed
	if err := c.do(s, "secret", in, &out); err != nil {
		return err
	}
	key := "cli.phone-password-changed"
	if out.ScreenLockOff {
		key = "cli.phone-password-changed-lock"
	}
	return s.say(out, key, nil)
}

type phoneUnlock struct {
	onPhone
	Card         string `required:"" help:"The card the phone's certificates were applied for with."`
	Kind         string `enum:"signature,authentication" default:"authentication" help:"Which of the phone's passwords."`
	CardPassword string `help:"The *card's* signing password; asked for if not given."`
	Next         string `help:"The *phone's* new password; asked for if not given."`
}

func (c phoneUnlock) Run(s *session) error {
	kind, err := warifu.ParseKind(c.Kind)
	if err != nil {
		return err
	}
	in := phones.Reset{Kind: kind, Card: c.Card}
	if in.CardPassword, err = s.ask(c.CardPassword, "cli.ask-card-signature"); err != nil {
		return err
	}
	if in.Next, err = s.ask(c.Next, "cli.ask-phone-new"); err != nil {
		return err
	}
	if err := c.do(s, "unlock", in, nil); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.phone-unlocked", nil)
}

type phoneScreenlock struct {
	onPhone
	Off      bool   `help:"Turn it off."`
	Enrol    bool   `help:"Enrol what is shown with the phone itself, as a new finger or PIN; a new biometric turns the screen lock off."`
	Kind     string `enum:"signature,authentication" default:"authentication" help:"What it stands in for: authentication, or signature where the scheme allows it."`
	PIN      string `name:"pin" help:"The *phone's* four-digit PIN; asked for if not given."`
	Password string `help:"The *phone's* signing password, for --kind signature; asked for if not given."`
	Method   string `default:"fingerprint" help:"fingerprint, face, device-pin or pattern."`
	Shown    string `default:"thumb" help:"Which finger, which PIN."`
}

func (c phoneScreenlock) Run(s *session) error {
	switch {
	case c.Off:
		return c.off(s)
	case c.Enrol:
		if err := c.do(s, "screenlock/enrolments", phones.Unlock{Method: phone.Method(c.Method), Shown: c.Shown}, nil); err != nil {
			return err
		}
		return s.say(struct{}{}, "cli.screen-lock-enrolled", nil)
	}
	kind, err := warifu.ParseKind(c.Kind)
	if err != nil {
		return err
	}
	in := phones.ScreenLock{Kind: kind, Unlock: phones.Unlock{Method: phone.Method(c.Method), Shown: c.Shown}}
	if kind == warifu.Signature {
		in.Password, err = s.ask(c.Password, "cli.ask-phone-signature")
	} else {
		in.PIN, err = s.ask(c.PIN, "cli.ask-phone-authentication")
	}
	if err != nil {
		return err
	}
	if err := c.do(s, "screenlock", in, nil); err != nil {
		return err
	}
	key := "cli.screen-lock-on"
	if kind == warifu.Signature {
		key = "cli.screen-lock-on-signature"
	}
	return s.say(struct{}{}, key, nil)
}

func (c phoneScreenlock) off(s *session) error {
	p, err := s.phones()
	if err != nil {
		return err
	}
	if err := p.Delete(s.ctx, "/api/phones/"+c.Phone+"/screenlock"); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.screen-lock-off", nil)
}

type phoneServe struct {
	onPhone
	VPCD string `name:"vpcd" required:"" placeholder:"HOST:PORT" help:"Where the reader driver listens."`
}

func (c phoneServe) Run(s *session) error { return s.serveVPCD(c.Phone, c.VPCD) }
