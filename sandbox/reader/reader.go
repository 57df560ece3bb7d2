package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"warifu"
	"warifu/iso7816"
)

// Limits of one tap, in real time: nobody holds a card to a reader for longer.
const (
	// CommandLimit bounds one APDU; the slowest, a signature, takes a card a second.
	CommandLimit = 8 * time.Second
	// WaitLimit bounds the wait for a chip to be put there.
	WaitLimit = 30 * time.Second
)

// maxCommands bounds what is sent in one tap: no honest chip needs as many, and one that
// always has more data does not keep the terminal.
const maxCommands = 200

// Source is a place where chips are touched.
type Source interface {
	// Tap waits for a chip, at most WaitLimit. Errors: Unavailable "reader-no-card" where
	// none came, "reader-unreachable" where there is no reader.
	Tap(ctx context.Context) (Chip, error)
}

// Chip is one chip during one tap. Close ends the tap: the power goes, and with it all that
// was verified.
type Chip interface {
	iso7816.Transmitter
	Close() error
}

// bounded is a chip with a bound on each command and on their number. After one that was
// not answered the chip is not asked again.
type bounded struct {
	chip  Chip
	limit time.Duration
	count int
	over  error
}

// Bounded returns the chip with a bound on each of its answers. Errors of Transmit:
// Unavailable "chip-slow"; iso7816.ErrRemoved; Unavailable "reader-answer-malformed" for an
// answer that is no response APDU, or one command too many.
func Bounded(c Chip, limit time.Duration) Chip { return &bounded{chip: c, limit: limit} }

// Transmit implements iso7816.Transmitter.
func (b *bounded) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if b.over != nil {
		return nil, b.over
	}
	if b.count++; b.count > maxCommands {
		b.over = warifu.Unavailable("reader-answer-malformed")
		return nil, b.over
	}
	limited, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	response, err := b.chip.Transmit(limited, command)
	switch {
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		b.over = warifu.Unavailable("chip-slow").With(err)
	case err != nil:
		b.over = err
	case len(response) == 0: // what some readers say of a card that has just been taken away
		b.over = iso7816.ErrRemoved
	case len(response) < 2 || len(response) > iso7816.MaxResponse || !plausible(response[len(response)-2]):
		b.over = warifu.Unavailable("reader-answer-malformed").With(fmt.Errorf("%d octets", len(response)))
	default:
		return response, nil
	}
	return nil, b.over
}

// plausible reports whether SW1 is one (ISO/IEC 7816-4 §5.6: 61–6F and 90–9F).
func plausible(sw1 byte) bool { return sw1 > 0x60 && sw1 < 0x70 || sw1 >= 0x90 && sw1 < 0xA0 }

// Close implements Chip.
func (b *bounded) Close() error {
	b.over = iso7816.ErrRemoved
	return b.chip.Close()
}

// await asks try until it answers, fails, or nobody has come within the limit. try reports
// false while there is no chip.
func await(ctx context.Context, limit time.Duration, try func(context.Context) (Chip, bool, error)) (Chip, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		chip, there, err := try(limited)
		if err != nil || there {
			return chip, err
		}
		select {
		case <-limited.Done():
			return nil, gone(ctx)
		case <-tick.C:
		}
	}
}

const pollEvery = 200 * time.Millisecond

// gone is why nobody came: the terminal gave up waiting, or it was told to stop.
func gone(ctx context.Context) error {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return warifu.Unavailable("reader-no-card").With(err)
	}
	return warifu.Unavailable("reader-no-card")
}
