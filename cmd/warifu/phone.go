package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/chip"
	"warifu/phone"
	"warifu/sandbox/bank"
	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
	"warifu/sandbox/phones"
	"warifu/text"
)

type phoneCommand struct {
	New         phoneNew         `cmd:"" help:"Buy a phone."`
	List        phoneList        `cmd:"" help:"List the phones."`
	Apply       phoneApply       `cmd:"" help:"Apply for certificates on a phone by the strength of a card."`
	Status      phoneStatus      `cmd:"" help:"Ask where the phone's application stands."`
	Withdraw    phoneWithdraw    `cmd:"" help:"Take the phone's application back."`
	Personalize phonePersonalize `cmd:"" help:"Register the issued certificates on the phone."`
	Sign        phoneSign        `cmd:"" help:"Sign a file with the phone's signing key."`
	Login       phoneLogin       `cmd:"" help:"Log in to a relying party with the phone."`
	Passwd      phonePasswd      `cmd:"" help:"Change one of the phone's own passwords."`
	Screenlock  phoneScreenlock  `cmd:"" help:"Let the screen lock stand in for the phone's PIN."`
	Serve       phoneServe       `cmd:"" help:"Hold a phone to a PC/SC reader (virtual reader driver)."`
}

type phoneNew struct {
	Model      string `help:"Catalogue identifier of the model; the usual one by default."`
	OSBuild    string `name:"os-build" help:"Build of the operating system."`
	AppVersion int    `help:"Version of the app on it."`
}

func (c phoneNew) Run(s *session) error {
	p, err := s.phones()
	if err != nil {
		return err
	}
	var bought handset.Record
	if err := p.Post(s.ctx, "/api/phones", phones.Buy{Model: c.Model, OSBuild: c.OSBuild, AppVersion: c.AppVersion}, &bought); err != nil {
		return err
	}
	return s.say(bought, "cli.phone-bought", map[string]string{"phone": bought.ID, "model": bought.Model})
}

type phoneList struct{}

func (phoneList) Run(s *session) error {
	p, err := s.phones()
	if err != nil {
		return err
	}
	var all []handset.Record
	if err := p.Get(s.ctx, "/api/phones", &all); err != nil {
		return err
	}
	rows := [][]string{s.heads("phone", "model", "os", "element")}
	for _, r := range all {
		rows = append(rows, []string{r.ID, r.Model, r.OSBuild, r.Element.String()})
	}
	return s.table(all, rows)
}

// onPhone is the argument that names a phone.
type onPhone struct {
	Phone string `arg:"" help:"The phone's identifier, as phone list has it."`
}

// do posts one step of the phone.
func (c onPhone) do(s *session, step string, in, out any) error {
	p, err := s.phones()
	if err != nil {
		return err
	}
	return p.Post(s.ctx, "/api/phones/"+c.Phone+"/"+step, in, out)
}

type phoneApply struct {
	onPhone
	Card              string   `required:"" help:"Whose card is held to the phone."`
	Kinds             []string `default:"signature,authentication" help:"Which certificates: signature, authentication or both."`
	Consent           string   `placeholder:"VERSION" help:"Version of the notes you have read and agree to; shown and asked for if not given."`
	CardPassword      string   `help:"The *card's* signing password; asked for if not given."`
	SignaturePassword string   `help:"The phone's new signing password, 6 to 16 letters and digits; asked for if not given."`
	PIN               string   `name:"pin" help:"The phone's new PIN, 4 digits; asked for if not given."`
}

func (c phoneApply) Run(s *session) error {
	in := phones.Apply{Card: c.Card, Consent: c.Consent}
	wants := map[warifu.Kind]bool{}
	for _, name := range c.Kinds {
		kind, err := warifu.ParseKind(name)
		if err != nil {
			return err
		}
		in.Kinds, wants[kind] = append(in.Kinds, kind), true
	}
	var err error
	if in.Consent, err = c.consent(s); err != nil {
		return err
	}
	if in.CardPassword, err = s.ask(c.CardPassword, "cli.ask-card-signature"); err != nil {
		return err
	}
	if wants[warifu.Signature] {
		if in.Signature, err = s.ask(c.SignaturePassword, "cli.ask-phone-signature"); err != nil {
			return err
		}
	}
	if wants[warifu.Authentication] {
		if in.PIN, err = s.ask(c.PIN, "cli.ask-phone-authentication"); err != nil {
			return err
		}
	}
	var out phones.Applied
	if err := c.do(s, "apply", in, &out); err != nil {
		return err
	}
	return s.say(out, "cli.applied", map[string]string{"id": out.Application.ID, "tries": strconv.Itoa(out.CardTries)})
}

// consent shows the notes and asks whether they were read (R35), unless the version
// was named.
func (c phoneApply) consent(s *session) (string, error) {
	if c.Consent != "" {
		return c.Consent, nil
	}
	p, err := s.phones()
	if err != nil {
		return "", err
	}
	var terms phone.Terms
	if err := p.Get(s.ctx, "/api/phones/"+c.Phone+"/terms", &terms); err != nil {
		return "", err
	}
	fmt.Fprintln(s.std.err, text.Sentence("consent."+terms.Consent, s.lang, nil))
	answer, err := s.ask("", "cli.ask-consent")
	if err != nil || !strings.EqualFold(strings.TrimSpace(answer), "yes") {
		return "", warifu.Refused("consent-missing", "version", terms.Consent)
	}
	return terms.Consent, nil
}

type phoneStatus struct {
	onPhone
	Wait    bool          `help:"Wait until it is no longer waiting to be issued."`
	Timeout time.Duration `default:"2m" help:"How long to wait at most."`
}

func (c phoneStatus) Run(s *session) error {
	a, err := c.ask(s)
	if err != nil {
		return err
	}
	rows := [][]string{{s.word("application"), a.ID}, {s.word("state"), s.word("state-" + string(a.State))}}
	if a.DueAt != nil && a.State == warifu.ApplicationSubmitted {
		rows = append(rows, []string{s.word("due"), a.DueAt.Format(time.RFC3339)})
	}
	if a.Problem != "" {
		rows = append(rows, []string{s.word("reason"), a.Problem})
	}
	return s.table(a, rows)
}

// ask asks once, or again and again until something has happened.
func (c phoneStatus) ask(s *session) (phone.Application, error) {
	var a phone.Application
	p, err := s.phones()
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.Get(s.ctx, "/api/phones/"+c.Phone+"/status", &a)
		if err != nil || !c.Wait || a.State != warifu.ApplicationSubmitted {
			return a, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return a, nil
		}
	}
}

type phoneWithdraw struct{ onPhone }

func (c phoneWithdraw) Run(s *session) error {
	if err := c.do(s, "withdrawal", struct{}{}, nil); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.withdrawn", nil)
}

type phonePersonalize struct {
	onPhone
	Card string `help:"Whose card to hold to the phone, should the server ask for it again."`
	PIN  string `name:"card-pin" help:"The *card's* four-digit PIN, for the same case."`
}

func (c phonePersonalize) Run(s *session) error {
	var out phones.Personalized
	if err := c.do(s, "personalize", phones.Personalize{Card: c.Card, CardPIN: c.PIN}, &out); err != nil {
		return err
	}
	return s.say(out, "cli.personalized", map[string]string{"relayed": strconv.Itoa(out.Relayed)})
}

type phoneSign struct {
	onPhone
	File     string `arg:"" help:"The file to sign."`
	Attached bool   `help:"Put the file inside the signature: FILE.p7m instead of FILE.p7s."`
	Password string `help:"The *phone's* signing password; asked for if not given."`
	Out      string `short:"o" help:"Write the signature here instead."`
}

func (c phoneSign) Run(s *session) error {
	document, err := s.readFile(c.File)
	if err != nil {
		return err
	}
	password, err := s.ask(c.Password, "cli.ask-phone-signature")
	if err != nil {
		return err
	}
	var out phones.Signed
	if err := c.do(s, "sign", phones.Sign{Document: document, Attached: c.Attached, Password: password}, &out); err != nil {
		return err
	}
	name := c.Out
	if name == "" {
		name = c.File + phones.SignatureSuffix(c.Attached)
	}
	if err := writeFile(name, out.Signature); err != nil {
		return err
	}
	return s.say(map[string]string{"signature": name}, "cli.signed", map[string]string{"file": filepath.ToSlash(name)})
}

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
	if err := c.do(s, "secret", in, nil); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.phone-password-changed", nil)
}

type phoneScreenlock struct {
	onPhone
	Off    bool   `help:"Turn it off."`
	PIN    string `name:"pin" help:"The *phone's* four-digit PIN; asked for if not given."`
	Method string `default:"fingerprint" help:"fingerprint, face, device-pin or pattern."`
	Shown  string `default:"thumb" help:"Which finger, which PIN."`
}

func (c phoneScreenlock) Run(s *session) error {
	if c.Off {
		p, err := s.phones()
		if err != nil {
			return err
		}
		if err := p.Delete(s.ctx, "/api/phones/"+c.Phone+"/screenlock"); err != nil {
			return err
		}
		return s.say(struct{}{}, "cli.screen-lock-off", nil)
	}
	pin, err := s.ask(c.PIN, "cli.ask-phone-authentication")
	if err != nil {
		return err
	}
	if err := c.do(s, "screenlock", phones.Unlock{PIN: pin, Method: phone.Method(c.Method), Shown: c.Shown}, nil); err != nil {
		return err
	}
	return s.say(struct{}{}, "cli.screen-lock-on", nil)
}

type phoneServe struct {
	onPhone
	VPCD string `name:"vpcd" required:"" placeholder:"HOST:PORT" help:"Where the reader driver listens."`
}

func (c phoneServe) Run(s *session) error { return s.serveVPCD(c.Phone, c.VPCD, chip.DefaultATR) }
