package main

import (
	"context"
	"errors"
	"io"

	"warifu"
	"warifu/iso7816"
	"warifu/sandbox/doorway"
	"warifu/sandbox/world"
)

// serveVPCD puts a chip of the running demo into the virtual reader at address.
func (s *session) serveVPCD(id, address string) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	far := &farChip{desk: d, id: id}
	atr, err := far.atr(s.ctx)
	if err != nil {
		return err
	}
	if err := s.say(map[string]string{"chip": id, "reader": address}, "cli.serving", map[string]string{"chip": id, "reader": address}); err != nil {
		return err
	}
	err = iso7816.ServeVPCD(s.ctx, address, far, atr)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return warifu.Unavailable("reader-unreachable", "reader", address).With(err)
	}
	return nil
}

// farChip is a chip in the demo's process, reached through the desk's door.
type farChip struct {
	desk doorway.Client
	id   string
}

// Transmit implements iso7816.Transmitter.
func (c *farChip) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	var response []byte
	err := c.desk.PostOctets(ctx, "/chips/"+c.id+"/apdu", command, &response)
	return response, err
}

func (c *farChip) atr(ctx context.Context) (atr []byte, err error) {
	err = c.desk.Get(ctx, "/chips/"+c.id+"/atr", &atr)
	return atr, err
}

// PowerOff implements iso7816.Powered. A demo that is gone has no power either.
func (c *farChip) PowerOff() { _ = c.power(context.Background()) }

// Reset implements iso7816.Powered; the door knows no warm reset, and real cards
// forget nothing at one (docs/card-facts.md §1.8).
func (c *farChip) Reset() {}

func (c *farChip) power(ctx context.Context) error {
	return c.desk.PostOctets(ctx, "/chips/"+c.id+"/power", nil, nil)
}

// chipCommand runs one chip of a world's folder as a process of its own that speaks
// the virtual reader's protocol over standard input and output: nothing but APDU
// octets goes in or out.
type chipCommand struct {
	Stdio       bool   `required:"" help:"Speak over standard input and output."`
	Dir         string `required:"" help:"The world's folder."`
	Card        string `help:"The person whose card it is."`
	Phone       string `help:"The phone whose secure element it is."`
	Contactless bool   `help:"A phone's reader interface instead of the app's."`
}

func (c chipCommand) Run(s *session) error {
	chip, atr, err := c.open()
	if err != nil {
		return err
	}
	err = iso7816.AnswerVPCD(s.ctx, pipe{s.std.in, s.std.out}, chip, atr)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (c chipCommand) open() (iso7816.Transmitter, []byte, error) {
	switch {
	case c.Card != "" && c.Phone == "":
		return world.OpenCard(c.Dir, c.Card)
	case c.Phone != "" && c.Card == "":
		return world.OpenElement(c.Dir, c.Phone, c.Contactless)
	}
	return nil, nil, usage("--card, --phone")
}

// pipe makes one stream of standard input and output.
type pipe struct {
	io.Reader
	io.Writer
}

// Close closes the input where it can be closed, which ends the conversation.
func (p pipe) Close() error {
	if c, ok := p.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
