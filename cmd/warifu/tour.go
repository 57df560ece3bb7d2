package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"warifu"
	"warifu/sandbox/bureau"
	"warifu/sandbox/desk"
	"warifu/sandbox/phones"
	"warifu/sandbox/tour"
	"warifu/sandbox/world"
)

type tourCommand struct {
	Scheme    string `enum:"jp-mobile,jp-mobile-strict,jp-mobile-2023,badge" default:"jp-mobile" help:"The rules to walk by."`
	Card      string `default:"taro" help:"Whose card is tapped."`
	Dir       string `type:"path" placeholder:"DIR" help:"Keep the world here; by default a temporary folder, removed afterwards."`
	Processes bool   `help:"Card, secure element and server as three processes that exchange only APDU octets and HTTP: the nine stops of the walk, without the life after them."`
}

func (c tourCommand) Run(s *session) error {
	dir := c.Dir
	if dir == "" {
		temporary, err := os.MkdirTemp("", "warifu-tour-*")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	walk := func(ctx context.Context, stage tour.Stage) error {
		line := s.progress()
		line.Begin(s.sentence("progress.tour", nil), tour.Stops(stage))
		defer line.End()
		return tour.Run(ctx, stage, warifu.SystemClock{}, func(step tour.Step) {
			line.Aside(func() { c.report(s, step) })
			line.Done(step.Step)
		})
	}
	var err error
	if c.Processes {
		err = c.apart(s, dir, walk)
	} else {
		err = c.together(s, dir, walk)
	}
	if err != nil {
		return err
	}
	return s.tell("cli.tour-done", nil)
}

// report prints one stop: a JSON line, or one for people.
func (c tourCommand) report(s *session, step tour.Step) {
	if s.json {
		_ = s.print(step)
		return
	}
	mark := "ok"
	if !step.OK {
		mark = "FAILED"
	}
	name, detail := s.in(step.NameJa, step.Name), step.Detail
	if step.DetailJa != "" {
		detail = s.in(step.DetailJa, step.Detail)
	}
	fmt.Fprintf(s.std.out, "%2d  %s%s %-6s %8.1f ms  %s\n", step.Step, name, strings.Repeat(" ", max(24-cells(name), 0)), mark, step.MS, detail)
}

// together walks in one process.
func (c tourCommand) together(s *session, dir string, walk func(context.Context, tour.Stage) error) error {
	w, err := world.Open(s.ctx, world.Config{Dir: dir, AnyPort: true, Scheme: c.Scheme, Waking: true, Log: demoCommand{}.log(s)})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() error { close(ready); return nil }) }()
	select {
	case <-ready:
	case err := <-ended:
		return err
	}
	stage, err := c.stage(w)
	if err == nil {
		err = walk(ctx, stage)
	}
	stop()
	if stopped := <-ended; err == nil {
		err = stopped
	}
	return err
}

// operator is the token of an operator of the sandbox's hotline, who protects nothing.
const operator = "sandbox-aoi"

// minor is who turns fifteen on the tour.
const minor = "ren"

// newestCard is the person's card as it is now: renewing gives it another chip.
type newestCard struct {
	bureau *bureau.Bureau
	id     string
}

// Transmit implements iso7816.Transmitter.
func (c *newestCard) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	card, err := c.bureau.Card(c.id)
	if err != nil {
		return nil, err
	}
	return card.Transmit(ctx, command)
}

// PowerOff takes the card's power.
func (c *newestCard) PowerOff() {
	if card, err := c.bureau.Card(c.id); err == nil {
		card.PowerOff()
	}
}

// stage sets the world's first phone and the person's card on it.
func (c tourCommand) stage(w *world.World) (tour.Stage, error) {
	var stage tour.Stage
	card := &newestCard{w.Bureau, c.Card}
	if _, err := w.Bureau.Card(c.Card); err != nil {
		return stage, err
	}
	holder, err := w.Bureau.Show(c.Card)
	if err != nil {
		return stage, err
	}
	handset, err := w.Phones.Handset(w.Phones.List()[0].ID)
	if err != nil {
		return stage, err
	}
	server, err := w.Client()
	if err != nil {
		return stage, err
	}
	bought, err := w.Phones.Buy(phones.Buy{})
	if err != nil {
		return stage, err
	}
	second, err := w.Phones.Handset(bought.ID)
	if err != nil {
		return stage, err
	}
	stage = tour.Stage{
		App: handset.App(server, w.Scheme, w.Clock), Card: card, Places: w.Places,
		PowerOff: func() { card.PowerOff(); handset.Element.PowerOff(); second.Element.PowerOff() },
		Second:   second.App(server, w.Scheme, w.Clock), SecondIMEI: bought.IMEI, Operator: operator, Reset: second.FactoryReset,
	}
	stage.Holder = desk.CardOf(holder)
	minor, err := w.Bureau.Show(minor)
	if err != nil {
		return stage, err
	}
	stage.Minor, stage.MinorCard = desk.CardOf(minor), &newestCard{w.Bureau, minor.Person.ID}
	stage.Trust, err = w.Trust()
	return stage, err
}
