package main

import (
	"fmt"
	"io"
	"os"

	"warifu/ledger"
	"warifu/oidc"
	"warifu/server"
)

// relyingParty is the operator's hand on who may have signatures checked.
type relyingParty struct {
	Add partyAdd `cmd:"" help:"Write a relying party into the file: a key for the verification service, printed once, and, with --redirect-uri, that people log in there."`
}

type partyAdd struct {
	configured
	ID         string   `arg:"" help:"Its identifier, as holders' ledgers will name it: lower-case letters, digits, dots, hyphens."`
	NameJa     string   `required:"" name:"name-ja" help:"What people call it, in Japanese."`
	NameEn     string   `required:"" name:"name-en" help:"The same in English."`
	Attributes []string `help:"Attributes it may ask for: name, address, birthDate, gender. None by default."`
	PerMinute  int      `help:"Questions a minute."`
	PerDay     int      `help:"Questions in 24 hours."`
	Webhooks   int      `help:"Subscriptions at one time."`

	RedirectURI  []string `name:"redirect-uri" sep:"none" help:"Where browsers come back to, letter for letter: people log in to it. May be repeated."`
	JWKSURI      string   `name:"jwks-uri" help:"Where its public keys are fetched from; or"`
	JWKS         string   `name:"jwks" type:"existingfile" help:"a file with them."`
	Scopes       []string `help:"What it may ask people for: name, address, birthdate, gender, sign. None by default."`
	Sector       string   `help:"Whom it shares subjects with: clients of one sector know a person by the same sub."`
	LoopbackPort bool     `help:"Any port of redirect URIs at 127.0.0.1: for apps on a computer."`
	RealFormats  bool     `help:"Birth dates as 20010203 and genders as 1 and 2."`
}

// client is what it says of itself where people log in there.
func (c partyAdd) client() (*server.ClientWish, error) {
	if len(c.RedirectURI) == 0 {
		return nil, nil
	}
	w := &server.ClientWish{RedirectURIs: c.RedirectURI, LoopbackPort: c.LoopbackPort, JWKSURI: c.JWKSURI, Scopes: c.Scopes, Sector: c.Sector}
	if c.RealFormats {
		w.BirthdateFormat, w.GenderFormat = oidc.FormatCompact, oidc.FormatNumber
	}
	var err error
	if c.JWKS != "" {
		w.JWKS, err = os.ReadFile(c.JWKS)
	}
	return w, err
}

// Run implements the command.
func (c partyAdd) Run(out io.Writer) error {
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	key, err := server.AddParty(config, server.PartyWish{
		Client: client, ID: c.ID, Name: ledger.Name{Japanese: c.NameJa, English: c.NameEn}, Attributes: c.Attributes,
		PerMinute: c.PerMinute, PerDay: c.PerDay, MaxWebhooks: c.Webhooks,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, key)
	return nil
}
