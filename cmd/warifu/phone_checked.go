package main

import (
	"encoding/json"
	"strings"

	"warifu/ledger"
	"warifu/phone"
	"warifu/sandbox/phones"
)

// pinOf is the phone's PIN, or its signing password where there is no PIN.
type pinOf struct {
	PIN      string `name:"pin" help:"The *phone's* PIN; asked for if neither is given."`
	Password string `help:"The *phone's* signing password instead."`
}

func (c pinOf) asked(s *session) (phones.Asked, error) {
	in := phones.Asked{Password: c.Password, PIN: c.PIN}
	var err error
	if in.Password == "" {
		in.PIN, err = s.ask(c.PIN, "cli.ask-phone-authentication")
	}
	return in, err
}

type phoneLedger struct {
	onPhone
	pinOf
	After int64 `help:"Only what came after the line of this number."`
}

func (c phoneLedger) Run(s *session) error {
	in, err := c.asked(s)
	if err != nil {
		return err
	}
	in.After = c.After
	var page ledger.Page
	if err := c.do(s, "ledger", in, &page); err != nil {
		return err
	}
	if len(page.Lines) == 0 {
		return s.say(page, "ledger.none", nil)
	}
	rows := [][]string{{s.sentence("ledger.when", nil), s.sentence("ledger.who", nil), s.sentence("ledger.what", nil), s.sentence("ledger.why", nil), s.sentence("ledger.result", nil)}}
	for _, l := range phones.LedgerLines(page, s.lang) {
		rows = append(rows, []string{l.When, l.Who, strings.TrimSpace(l.What + " " + l.Late), l.Why, l.Result})
	}
	return s.table(page, rows)
}

type phoneConsents struct {
	onPhone
	pinOf
	Grant  string `placeholder:"ID" help:"Let them be told."`
	Refuse string `placeholder:"ID" help:"Let them not be told."`
}

func (c phoneConsents) Run(s *session) error {
	in, err := c.asked(s)
	if err != nil {
		return err
	}
	if in.Wish = c.Refuse; c.Grant != "" {
		in.Wish, in.Grant = c.Grant, true
	}
	if in.Wish != "" {
		var out struct{}
		if err := c.do(s, "consent", in, &out); err != nil {
			return err
		}
	}
	in.Wish, in.Grant = "", false
	var all []phone.Wish
	if err := c.do(s, "consents", in, &all); err != nil {
		return err
	}
	rows := [][]string{}
	for _, w := range all {
		rows = append(rows, []string{w.ID, w.Party, strings.Join(w.Attributes, ", "), w.Purpose})
	}
	return s.table(all, rows)
}

type phoneEvidence struct {
	onPhone
	pinOf
	Verification string `arg:"" help:"The reference in the ledger."`
}

func (c phoneEvidence) Run(s *session) error {
	in, err := c.asked(s)
	if err != nil {
		return err
	}
	in.Wish = c.Verification
	var record json.RawMessage
	if err := c.do(s, "evidence", in, &record); err != nil {
		return err
	}
	_, err = s.std.out.Write(append(record, '\n'))
	return err
}
