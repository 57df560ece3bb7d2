package trace

import (
	"context"

	"warifu"
	"warifu/iso7816"
)

// The doors of a chip.
const (
	DoorReader = "reader" // contact or contactless, as a reader meets it
	DoorApp    = "app"    // a phone's app, inside
)

// Chip is a transmitter whose exchanges are noted.
func (r *Ring) Chip(id, door string, t iso7816.Transmitter) iso7816.Transmitter {
	return chip{r, id, door, t}
}

type chip struct {
	ring     *Ring
	id, door string
	to       iso7816.Transmitter
}

// Transmit implements iso7816.Transmitter.
func (c chip) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	begun := warifu.SystemClock{}.Now()
	response, err := c.to.Transmit(ctx, command)
	means, params := Meaning(command, response)
	c.ring.add(ctx, "", nil, Entry{
		Kind: APDU, Chip: c.id, Door: c.door, Line: iso7816.Redact(command, response), Means: means, Params: params,
		Micros: warifu.SystemClock{}.Now().Sub(begun).Microseconds(),
	})
	return response, err
}
