package reader

import (
	"context"
	"net/url"

	"warifu"
	"warifu/sandbox/doorway"
)

// Demo is a reader to which the chip of the running demo with that identifier is touched:
// a person's card, or a phone by its contactless interface.
func Demo(desk doorway.Client, chip string) Source { return demo{desk, chip} }

type demo struct {
	desk doorway.Client
	chip string
}

// Tap implements Source. NotFound "person-unknown" or "phone-unknown" for a chip that is not there.
func (d demo) Tap(ctx context.Context) (Chip, error) {
	c := &demoChip{d}
	limited, cancel := context.WithTimeout(ctx, WaitLimit)
	defer cancel()
	var atr []byte
	if err := d.desk.Get(limited, d.path("atr"), &atr); err != nil {
		return nil, err
	}
	if len(atr) == 0 {
		return nil, warifu.Unavailable("reader-no-card")
	}
	return Bounded(c, CommandLimit), nil
}

func (d demo) path(what string) string { return "/chips/" + url.PathEscape(d.chip) + "/" + what }

type demoChip struct{ demo }

// Transmit implements iso7816.Transmitter.
func (c *demoChip) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	var response []byte
	err := c.desk.PostOctets(ctx, c.path("apdu"), command, &response)
	return response, err
}

// Close takes the chip's power. It happens also when the tap's own time is over.
func (c *demoChip) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), CommandLimit)
	defer cancel()
	return c.desk.PostOctets(ctx, c.path("power"), nil, nil)
}
