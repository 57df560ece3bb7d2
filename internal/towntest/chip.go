package towntest

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"warifu/chip"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/sandbox/reader"
)

// Fault is what a chip does wrong.
type Fault int

// The faults.
const (
	Sound   Fault = iota
	Torn          // it is taken away at the command
	Slow          // it answers the command never
	Garbage       // it answers octets that are no status word
	Strange       // it answers 6F00
	Blocked       // it answers 6984
	Endless       // it always has more data, 61xx
	Lying         // it answers 9000 and zeros
)

// OnReader is a reader on which a person's card lies.
type OnReader struct {
	Card *chip.Card
	// Fault happens at the command with number At, counted from 0, and at all later ones.
	Fault Fault
	At    int
	Label string        // what EF 0006 says instead of its own
	Limit time.Duration // of one command; zero: an hour

	mu     sync.Mutex
	sent   [][]byte
	Closed atomic.Int32
}

// Put puts a person's card on a reader.
func (t *Town) Put(id string) *OnReader {
	t.T.Helper()
	card, err := t.Bureau.Card(id)
	if err != nil {
		t.T.Fatal(err)
	}
	return &OnReader{Card: card}
}

// Tap implements reader.Source.
func (o *OnReader) Tap(context.Context) (reader.Chip, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = nil
	limit := o.Limit
	if limit == 0 {
		limit = time.Hour
	}
	return reader.Bounded(onReader{o}, limit), nil
}

// Sent is every command of the last tap.
func (o *OnReader) Sent() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent
}

// Verified reports whether the chip was sent a secret in the last tap.
func (o *OnReader) Verified() bool {
	for _, c := range o.Sent() {
		if len(c) > 5 && c[1] == 0x20 {
			return true
		}
	}
	return false
}

type onReader struct{ *OnReader }

// Transmit implements iso7816.Transmitter.
func (o onReader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	o.mu.Lock()
	number := len(o.sent)
	o.sent = append(o.sent, bytes.Clone(command))
	o.mu.Unlock()
	if o.Fault != Sound && number >= o.At {
		switch o.Fault {
		case Torn:
			return nil, iso7816.ErrRemoved
		case Slow:
			<-ctx.Done()
			return nil, ctx.Err()
		case Garbage:
			return []byte{0x17}, nil
		case Strange:
			return []byte{0x6F, 0x00}, nil
		case Blocked:
			return []byte{0x69, 0x84}, nil
		case Endless:
			return []byte{0x00, 0x61, 0x10}, nil
		case Lying:
			return append(make([]byte, 32), 0x90, 0x00), nil
		}
	}
	answer, err := o.Card.Transmit(ctx, command)
	if err == nil && o.Label != "" {
		answer = bytes.Replace(answer, padded(jpki.LabelCard), padded(o.Label), 1)
	}
	return answer, err
}

func padded(label string) []byte {
	return append([]byte(label), bytes.Repeat([]byte{' '}, 32-len(label))...)
}

// Close implements reader.Chip.
func (o onReader) Close() error {
	o.Closed.Add(1)
	o.Card.PowerOff()
	return nil
}
