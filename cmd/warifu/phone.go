package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/phone"
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
	Approve     phoneApprove     `cmd:"" help:"Approve a login at the provider, or decline it: shows who asks and what they will be told."`
	Passwd      phonePasswd      `cmd:"" help:"Change one of the phone's own passwords."`
	Unlock      phoneUnlock      `cmd:"" help:"Set a locked or forgotten password of the phone anew, with the card."`
	Screenlock  phoneScreenlock  `cmd:"" help:"Let the screen lock stand in for the phone's PIN."`
	Suspend     phoneSuspend     `cmd:"" help:"Put the phone's certificates on hold, at your own wish or for a repair."`
	Resume      phoneResume      `cmd:"" help:"Lift a hold of your own."`
	Revoke      phoneRevoke      `cmd:"" help:"End the phone's certificates for good; the chip destroys the keys."`
	Code        phoneCode        `cmd:"" help:"Get a new suspension code; the old one is worth nothing then."`
	Contact     phoneContact     `cmd:"" help:"Register another telephone for notices and for the hotline; the old one is told."`
	Leaving     phoneLeaving     `cmd:"" help:"Before the phone leaves your hands: revoke, suspend until, or keep; and the list of what else to do."`
	Listed      phoneListed      `cmd:"" help:"What a marketplace calls when somebody offers the phone: the app asks its holder."`
	Check       phoneCheck       `cmd:"" help:"Ask chip and server what is on the phone and whether it is good."`
	Ledger      phoneLedger      `cmd:"" help:"Who checked me: every question that relying parties put about the holder."`
	Consents    phoneConsents    `cmd:"" help:"Who wants to be told attributes of the holder; let them, or not."`
	Evidence    phoneEvidence    `cmd:"" help:"The evidence that a relying party has of a signature: a personal document."`
	Wipe        phoneWipe        `cmd:"" help:"Have the chip destroy what has ended; no password is asked for."`
	Reset       phoneReset       `cmd:"" help:"Factory reset: asks what becomes of the certificates; the app forgets, the chip keeps everything."`
	Proof       phoneProof       `cmd:"" help:"Prove to whoever takes the phone over that nothing is left on it."`
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
	Discard           bool     `help:"Withdraw the application that is open on this phone first; its keys are lost."`
	Reading           string   `help:"Reading of the holder's name, in kana: with --telephone, so that the hotline can suspend for them and tell them."`
	Telephone         string   `help:"Telephone to be told, with its area code."`
}

func (c phoneApply) Run(s *session) error {
	in := phones.Apply{Card: c.Card, Consent: c.Consent, Discard: c.Discard}
	if c.Reading != "" || c.Telephone != "" {
		in.Contact = &phone.Contact{Reading: c.Reading, Telephone: c.Telephone}
	}
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
		title, _, next := text.Problem(warifu.Refused(a.Problem), s.lang)
		rows = append(rows, []string{s.word("reason"), title + " (" + a.Problem + ")"}, []string{"", next})
	}
	if err := s.table(a, rows); err != nil || s.json {
		return err
	}
	return s.remind(a.Reminders)
}

// ask asks once, or again and again until something has happened.
func (c phoneStatus) ask(s *session) (phones.Status, error) {
	var a phones.Status
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
	key := "cli.personalized"
	if out.SuspensionCode != "" {
		key = "cli.personalized-code"
	}
	return s.say(out, key, map[string]string{"relayed": strconv.Itoa(out.Relayed), "code": out.SuspensionCode})
}
