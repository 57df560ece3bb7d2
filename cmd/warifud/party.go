package main

import (
	"fmt"
	"io"

	"warifu/ledger"
	"warifu/server"
)

// relyingParty is the operator's hand on who may have signatures checked.
type relyingParty struct {
	Add partyAdd `cmd:"" help:"Give a relying party a key for the verification service; it is printed once."`
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
}

// Run implements the command.
func (c partyAdd) Run(out io.Writer) error {
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	key, err := server.AddParty(config, server.PartyWish{
		ID: c.ID, Name: ledger.Name{Japanese: c.NameJa, English: c.NameEn}, Attributes: c.Attributes,
		PerMinute: c.PerMinute, PerDay: c.PerDay, MaxWebhooks: c.Webhooks,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, key)
	return nil
}
