package main

import (
	"cmp"
	"strconv"

	"warifu/sandbox/kiosk"
	"warifu/sandbox/municipality"
	"warifu/sandbox/reader"
	"warifu/sandbox/world"
)

type kioskCommand struct {
	Print   kioskPrint   `cmd:"" help:"Buy a paper of the town hall with a card or phone, at a reader of yours or of the demo."`
	Readers kioskReaders `cmd:"" help:"List the PC/SC readers of this machine."`
}

type kioskReaders struct{}

func (kioskReaders) Run(s *session) error {
	names, err := reader.Readers()
	if err != nil {
		return err
	}
	rows := [][]string{}
	for _, n := range names {
		rows = append(rows, []string{n})
	}
	return s.table(names, rows)
}

type kioskPrint struct {
	terminal
	Document  string `enum:"residence,seal" default:"residence" help:"residence (住民票の写し) or seal (印鑑登録証明書)."`
	Household bool   `help:"The whole household on the residence record."`
	Relation  bool   `help:"Head of household and relation on it."`
	Copies    int    `default:"1" help:"How many, up to ten."`
	Out       string `short:"o" type:"path" placeholder:"FILE.pdf" help:"Where the paper goes; the document's name by default."`
}

// Run walks through the kiosk's own steps in this process: the reader is this machine's, the
// municipality the demo's.
func (c kioskPrint) Run(s *session) error {
	source, medium, pin, err := c.open(s)
	if err != nil {
		return err
	}
	k, err := c.kiosk(s, source)
	if err != nil {
		return err
	}
	v, err := k.Begin(medium)
	if err != nil {
		return err
	}
	if v, err = k.Touch(s.ctx, v.ID, kiosk.Touch{PIN: pin, LastTry: c.LastTry}); err != nil {
		return err
	}
	choice := kiosk.Choice{Document: c.Document, Copies: c.Copies, Options: municipality.Options{Household: c.Household, Relation: c.Relation}}
	if v, err = k.Choose(v.ID, choice); err != nil {
		return err
	}
	for i := len(kiosk.Coins) - 1; v.Paid < v.Fee; {
		if kiosk.Coins[i] > v.Fee-v.Paid && i > 0 {
			i--
			continue
		}
		if v, err = k.Insert(v.ID, kiosk.Coins[i]); err != nil {
			return err
		}
	}
	if v, err = k.Print(s.ctx, v.ID); err != nil {
		return err
	}
	file, err := k.Paper(v.ID)
	if err != nil {
		return err
	}
	name := cmp.Or(c.Out, c.Document+".pdf")
	if err := writeFile(name, file); err != nil {
		return err
	}
	told := struct {
		Municipality municipality.Town `json:"municipality"`
		Document     string            `json:"document"`
		Copies       int               `json:"copies"`
		Fee          int               `json:"fee"`
		File         string            `json:"file"`
	}{*v.Town, v.Document, v.Copies, v.Fee, name}
	return s.say(told, "cli.kiosk-printed", map[string]string{"town": v.Town.Name, "fee": strconv.Itoa(v.Fee), "file": name})
}

// kiosk is the sandbox's, with this machine's reader and the demo's municipality and clock.
func (c kioskPrint) kiosk(s *session, source reader.Source) (*kiosk.Kiosk, error) {
	p, err := s.places()
	if err != nil {
		return nil, err
	}
	_, clock, err := s.trustAt(p)
	if err != nil {
		return nil, err
	}
	rules, err := c.rules()
	if err != nil {
		return nil, err
	}
	return kiosk.New(kiosk.Config{Town: kiosk.NewTown(p.Desk+world.TownPrefix, world.KioskKey), Clock: clock, Scheme: rules, Reader: source}), nil
}
