package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"warifu/phone"
	"warifu/sandbox/phones"
	"warifu/text"
)

// decided is what becomes of the certificates when the phone leaves its holder's hands:
// one of three, and asked for where none is given.
type decided struct {
	Revoke    bool   `xor:"choice" help:"Revoke the certificates: the chip destroys the keys."`
	HoldUntil string `xor:"choice" placeholder:"INSTANT" help:"Suspend them until then; they resume by themselves."`
	Keep      bool   `xor:"choice" help:"Keep them. Takes no password, and gives nobody anything."`
	Password  string `help:"The *phone's* signing password; asked for where it is needed."`
	PIN       string `name:"pin" help:"The *phone's* PIN instead: enough to suspend, and for all where there is no signing certificate."`
}

func (c decided) given() bool { return c.Revoke || c.Keep || c.HoldUntil != "" }

// leave turns the flags, or what a person answers, into a decision. With nothing live there
// is nothing to decide.
func (c decided) leave(s *session, on onPhone, o phone.Occasion) (phones.Leave, phone.Leaving, error) {
	in := phones.Leave{Event: string(o), PIN: c.PIN, Password: c.Password}
	asked, err := on.leaving(s, o)
	if err != nil {
		return in, asked, err
	}
	if !c.given() && len(asked.Choices) > 0 {
		if c, err = c.ask(s, asked); err != nil {
			return in, asked, err
		}
	}
	switch {
	case c.Revoke:
		in.Choice = phone.ChoiceRevoke
	case c.HoldUntil != "":
		in.Choice = phone.ChoiceHold
		if in.Until, err = s.instant(c.HoldUntil); err != nil {
			return in, asked, err
		}
	case c.Keep:
		in.Choice = phone.ChoiceKeep
	}
	if len(asked.Live) > 0 && (c.Revoke || c.HoldUntil != "") && in.PIN == "" {
		in.Password, err = s.ask(c.Password, "cli.ask-phone-signature")
	}
	return in, asked, err
}

func (c onPhone) leaving(s *session, o phone.Occasion) (phone.Leaving, error) {
	var asked phone.Leaving
	p, err := s.phones()
	if err != nil {
		return asked, err
	}
	return asked, p.Get(s.ctx, "/api/phones/"+c.Phone+"/leaving?event="+url.QueryEscape(string(o)), &asked)
}

// ask shows the question with its choices and reads which it is to be.
func (c decided) ask(s *session, asked phone.Leaving) (decided, error) {
	fmt.Fprintln(s.std.err, s.spoken(asked.Question))
	for _, choice := range asked.Choices {
		fmt.Fprintf(s.std.err, "  %s: %s\n", choice.Choice, s.spoken(choice.Sentence))
	}
	answer, err := s.ask("", "cli.ask-leaving")
	if err != nil {
		return c, err
	}
	switch strings.TrimSpace(answer) {
	case phone.ChoiceRevoke:
		c.Revoke = true
	case phone.ChoiceKeep:
		c.Keep = true
	case phone.ChoiceHold:
		c.HoldUntil, err = s.ask("", "cli.ask-until")
	default:
		return c, usage(text.Sentence("cli.ask-leaving", s.lang, nil))
	}
	return c, err
}

// spoken is a sentence in the reader's language.
func (s *session) spoken(sentence phone.Sentence) string {
	if s.lang == text.Japanese {
		return sentence.Ja
	}
	return sentence.En
}

type phoneLeaving struct {
	onPhone
	decided
	Event   string `required:"" enum:"reset,listing,repair,new-phone" help:"Why: reset, listing, repair or new-phone."`
	NotMe   bool   `xor:"choice" help:"Of a listing: tell the marketplace that you do not offer this phone. Nothing else changes."`
	Listing string `placeholder:"ID" help:"Of a listing: answer that marketplace alone (warifu phone status); by default all that asked."`
}

// Run decides beforehand; of a reset it does not do the erasing (phone reset).
func (c phoneLeaving) Run(s *session) error {
	var in phones.Leave
	var asked phone.Leaving
	var err error
	if c.NotMe {
		in = phones.Leave{Event: c.Event, Choice: phone.ChoiceNotMe}
	} else if in, asked, err = c.leave(s, c.onPhone, phone.Occasion(c.Event)); err != nil {
		return err
	}
	in.Listing = c.Listing
	var out phone.Parted
	if err := c.do(s, "leaving", in, &out); err != nil {
		return err
	}
	return s.parted(out, asked)
}

type phoneReset struct {
	onPhone
	decided
}

func (c phoneReset) Run(s *session) error {
	in, asked, err := c.leave(s, c.onPhone, phone.OccasionReset)
	if err != nil {
		return err
	}
	var out phone.Parted
	if err := c.do(s, "reset", in, &out); err != nil {
		return err
	}
	if s.json {
		return s.print(out)
	}
	key := "cli.phone-reset"
	if len(asked.Live) == 0 || out.Choice == phone.ChoiceRevoke {
		key = "cli.phone-reset-clean"
	}
	return s.say(out, key, nil)
}

// parted prints what stands, and the list of what else to do (R80).
func (s *session) parted(out phone.Parted, asked phone.Leaving) error {
	if s.json {
		return s.print(struct {
			phone.Parted
			Checklist any `json:"checklist"`
		}{out, asked.Checklist})
	}
	key := "cli.left-" + out.Choice
	if out.Choice == "" {
		key = "cli.left-nothing"
	}
	if err := s.say(out, key, nil); err != nil {
		return err
	}
	for _, a := range out.Answered {
		if err := s.say(out, "cli.answered-"+a.Answer, map[string]string{"marketplace": a.Marketplace}); err != nil {
			return err
		}
	}
	if len(out.Credentials) > 0 {
		if err := s.standing(out, out.Credentials); err != nil {
			return err
		}
	}
	for i, item := range asked.Checklist {
		if _, err := fmt.Fprintf(s.std.out, "%d. %s\n", i+1, s.spoken(item.Sentence)); err != nil {
			return err
		}
	}
	return nil
}

type phoneCheck struct{ onPhone }

// Run asks chip and server; at first contact what is dead is destroyed.
func (c phoneCheck) Run(s *session) error {
	var out phone.Recognition
	if err := c.do(s, "check", struct{}{}, &out); err != nil {
		return err
	}
	var rows [][]string
	for _, v := range out.Kinds {
		row := []string{s.kind(v.Kind), s.word("not-on-chip"), "", s.sentence("phone.finding."+string(v.Finding), nil)}
		if v.OnChip {
			row[1] = s.word("on-chip")
		}
		if v.Standing != nil {
			row[2] = s.standingWord(*v.Standing)
		}
		rows = append(rows, row)
	}
	if out.Destroyed > 0 && !s.json {
		if err := s.say(out, "cli.phone-wiped", map[string]string{"destroyed": fmt.Sprint(out.Destroyed)}); err != nil {
			return err
		}
	}
	if err := s.table(out, rows); err != nil || s.json || !out.New || !slices.ContainsFunc(out.Kinds, func(v phone.Validity) bool { return v.OnChip && v.Live }) {
		return err
	}
	return s.say(out, "phone.finding-not-yours", nil)
}

// remind prints what the holder should know.
func (s *session) remind(all []phone.Reminder) error {
	for _, r := range all {
		if _, err := fmt.Fprintln(s.std.out, s.spoken(r.Sentence)); err != nil {
			return err
		}
	}
	return nil
}

type phoneListed struct {
	onPhone
	Marketplace string   `default:"sandbox-marketplace" help:"Which marketplace heard of it."`
	Identifier  []string `placeholder:"imei:…" help:"What was read off the phone; by default the IMEI on its box."`
}

// Run is the marketplace's call: the question waits in the app for phone leaving.
func (c phoneListed) Run(s *session) error {
	places, err := s.places()
	if err != nil {
		return err
	}
	proof := phoneProof{onPhone: c.onPhone, Marketplace: c.Marketplace, Identifier: c.Identifier}
	q, err := proof.question(s, places.Phones)
	if err != nil {
		return err
	}
	var asked phone.Leaving
	if err := c.do(s, "listings", q, &asked); err != nil {
		return err
	}
	out := struct {
		Question phone.CleanQuestion `json:"question"`
		Asked    phone.Leaving       `json:"asked"`
	}{q, asked}
	return s.say(out, "cli.phone-listed", map[string]string{"marketplace": c.Marketplace, "at": q.Time.Format(time.RFC3339)})
}
