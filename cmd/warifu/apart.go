package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"warifu"
	"warifu/iso7816"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/handset"
	"warifu/sandbox/tour"
	"warifu/scheme"
)

// apart walks with the server, the card and the secure element in processes of their
// own: this one is only the app and the relying party, and what it exchanges with the
// others is APDU octets over their standard streams and HTTP.
func (c tourCommand) apart(s *session, dir string, walk func(context.Context, tour.Stage) error) error {
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	crew := &crew{program: program, session: s}
	defer func() { stop(); crew.wait() }()
	places, err := crew.server(ctx, dir, c.Scheme)
	if err != nil {
		return err
	}
	stage, err := c.stageApart(ctx, crew, dir, places)
	if err != nil {
		return err
	}
	return walk(ctx, stage)
}

// stageApart starts the two chips and puts the app between them.
func (c tourCommand) stageApart(ctx context.Context, crew *crew, dir string, places desk.Places) (tour.Stage, error) {
	stage := tour.Stage{Places: places}
	front := doorway.NewClient(places.Desk)
	if err := front.Get(ctx, "/api/cards/"+c.Card, &stage.Holder); err != nil {
		return stage, err
	}
	var bought handset.Record
	if err := doorway.NewClient(places.Phones).Post(ctx, "/api/phones", struct{}{}, &bought); err != nil {
		return stage, err
	}
	card, err := crew.chip(ctx, dir, "--card", c.Card)
	if err != nil {
		return stage, err
	}
	element, err := crew.chip(ctx, dir, "--phone", bought.ID)
	if err != nil {
		return stage, err
	}
	trust, clock, err := crew.session.trustAt(places)
	if err != nil {
		return stage, err
	}
	stage.Card, stage.Trust = card, trust
	stage.PowerOff = func() { _ = card.PowerOff(); _ = element.PowerOff() }
	stage.App, err = appApart(filepath.Join(dir, "tour-phone"), bought, element, places, c.Scheme, clock)
	return stage, err
}

// appApart is the app around a chip in another process.
func appApart(dir string, record handset.Record, element iso7816.Transmitter, places desk.Places, rules string, clock warifu.Clock) (*phone.App, error) {
	f, err := folder.Open(dir)
	if err != nil {
		return nil, err
	}
	h, err := handset.Open(f, record, oneDoor{element}, rand.Reader)
	if err != nil {
		return nil, err
	}
	server, err := phone.NewServer(places.Server, nil)
	if err != nil {
		return nil, err
	}
	by, err := scheme.Shipped(rules)
	if err != nil {
		return nil, err
	}
	return h.App(server, by, clock), nil
}

// oneDoor is a secure element of which only the app's door is at hand.
type oneDoor struct{ door iso7816.Transmitter }

func (d oneDoor) Internal([32]byte) iso7816.Transmitter { return d.door }
func (d oneDoor) Contactless() iso7816.Transmitter      { return d.door }
func (d oneDoor) PowerOff()                             {}
func (d oneDoor) ATR() []byte                           { return nil }

// crew are the processes of a tour.
type crew struct {
	program string
	session *session
	running []*exec.Cmd
	inputs  []io.Closer // of the chips, which live as long as somebody may speak to them
}

func (c *crew) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, c.program, args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	command.Stderr = c.session.std.err
	return command
}

func (c *crew) start(command *exec.Cmd) error {
	if err := command.Start(); err != nil {
		return err
	}
	c.running = append(c.running, command)
	return nil
}

func (c *crew) wait() {
	for _, in := range c.inputs {
		_ = in.Close()
	}
	for _, command := range c.running {
		_ = command.Wait()
	}
}

// server starts a demo of its own and waits until it is ready.
func (c *crew) server(ctx context.Context, dir, rules string) (desk.Places, error) {
	var places desk.Places
	command := c.command(ctx, "demo", "--json", "--headless", "--any-port", "--dir", dir, "--scheme", rules)
	out, err := command.StdoutPipe()
	if err != nil {
		return places, err
	}
	if err := c.start(command); err != nil {
		return places, err
	}
	if err := json.NewDecoder(out).Decode(&places); err != nil {
		return places, errors.Join(errors.New("the server did not become ready"), err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return places, nil
}

// chip starts one chip.
func (c *crew) chip(ctx context.Context, dir string, which ...string) (*iso7816.VPCDClient, error) {
	command := c.command(ctx, append([]string{"chip", "--stdio", "--dir", dir}, which...)...)
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.start(command); err != nil {
		return nil, err
	}
	c.inputs = append(c.inputs, in)
	return iso7816.NewVPCDClient(struct {
		io.Reader
		io.Writer
	}{out, in}), nil
}
