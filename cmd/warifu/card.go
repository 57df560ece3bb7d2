package main

import (
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/text"
)

type cardCommand struct {
	New     cardNew     `cmd:"" help:"Make a further person with a card."`
	List    cardList    `cmd:"" help:"List the persons and their cards."`
	Show    cardShow    `cmd:"" help:"Show a card, its PINs and its certificates."`
	Passwd  cardPasswd  `cmd:"" help:"Change one of the card's own passwords, at the town hall's counter."`
	Unlock  cardUnlock  `cmd:"" help:"Set a forgotten or locked password of the card anew, at the counter or a kiosk."`
	Face    cardFace    `cmd:"" name:"face-check" help:"Have the face checked in the app, before a visit to a kiosk."`
	Letters cardLetters `cmd:"" help:"Show the letters the town hall wrote to the holder, for a proxy."`
	Suspend cardSuspend `cmd:"" help:"Suspend the certificates on a phone with the card at a PC, when the phone is lost."`
	Resume  cardResume  `cmd:"" help:"Lift such a hold with the card."`
	Revoke  cardRevoke  `cmd:"" help:"Revoke the certificates on a phone with the card, when the phone is lost or broken."`
	Contact cardContact `cmd:"" help:"Register another telephone for notices and for the hotline, with the card at a PC."`
	Approve cardApprove `cmd:"" help:"Approve a login at the provider with the card at a reader, or decline it."`
	Serve   cardServe   `cmd:"" help:"Put a card in a PC/SC reader (virtual reader driver)."`
}

type cardNew struct{}

func (cardNew) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var c desk.Card
	if err := d.Post(s.ctx, "/api/cards", struct{}{}, &c); err != nil {
		return err
	}
	return s.say(c, "cli.card-made", map[string]string{"card": c.ID, "name": c.Name})
}

type cardList struct{}

func (cardList) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var cards []desk.Card
	if err := d.Get(s.ctx, "/api/cards", &cards); err != nil {
		return err
	}
	rows := [][]string{s.heads("card", "name", "state", "difference")}
	for _, c := range cards {
		rows = append(rows, []string{c.ID, c.Name, c.State, s.in(c.Difference.Ja, c.Difference.En)})
	}
	return s.table(cards, rows)
}

type cardShow struct {
	Card string `arg:"" help:"The person's identifier, as card list has it."`
}

func (c cardShow) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	var card desk.Card
	if err := d.Get(s.ctx, "/api/cards/"+c.Card, &card); err != nil {
		return err
	}
	rows := [][]string{
		{s.word("card"), card.ID}, {s.word("name"), card.Name}, {s.word("birth"), card.Birth}, {s.word("address"), card.Address},
		{s.word("difference"), s.in(card.Difference.Ja, card.Difference.En)},
		{s.word("pin-signature"), card.PINs.Signature}, {s.word("pin-authentication"), card.PINs.Authentication},
		{s.word("pin-text"), card.PINs.Text}, {s.word("pin-register"), card.PINs.Register}, {s.word("state"), card.State},
	}
	for _, t := range card.Tries {
		left := strconv.Itoa(t.Left)
		if t.Left == 0 {
			left = s.word("locked")
		}
		rows = append(rows, []string{s.word("tries-left") + " " + s.word("pin-"+t.Kind.String()), left})
	}
	for _, x := range card.Certificates {
		rows = append(rows, []string{s.kind(x.Kind), x.Serial + "  " + x.Status + "  " + x.NotAfter.Format(time.DateOnly)})
	}
	return s.table(card, rows)
}

type cardServe struct {
	Card string `arg:"" help:"The person's identifier."`
	VPCD string `name:"vpcd" required:"" placeholder:"HOST:PORT" help:"Where the reader driver listens."`
}

func (c cardServe) Run(s *session) error { return s.serveVPCD(c.Card, c.VPCD) }

// heads are a table's column heads, word their text; both end in the reader's language.
func (s *session) heads(keys ...string) []string {
	for i, k := range keys {
		keys[i] = s.word(k)
	}
	return keys
}

func (s *session) word(key string) string { return text.Sentence("cli.word-"+key, s.lang, nil) }

func (s *session) kind(k warifu.Kind) string { return s.word("kind-" + k.String()) }

func (s *session) in(ja, en string) string {
	if s.lang == text.Japanese {
		return ja
	}
	return strings.TrimSpace(en)
}
