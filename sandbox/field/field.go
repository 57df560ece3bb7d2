// Package field is the reader's field: every chip of the sandbox by its identifier,
// one holder at a time. Whoever holds a chip may do many APDUs undisturbed; when it
// is put away its power goes and nothing stays verified.
package field

import (
	"context"
	"sync"

	"warifu"
	"warifu/iso7816"
)

// Chip is what can be held: it answers APDUs and forgets what was verified when its
// power goes.
type Chip interface {
	iso7816.Transmitter
	PowerOff()
	ATR() []byte // answer to reset
}

// Field knows the chips. Its methods may be called at any time from anywhere.
type Field struct {
	find  func(id string) (Chip, error)
	heard func(id string, chip iso7816.Transmitter) iso7816.Transmitter
	mu    sync.Mutex
	spots map[string]spot
}

// spot holds one token while somebody holds the chip.
type spot chan struct{}

// New makes a field of the chips that find opens. find is called each time a chip is
// held, since a card may have been renewed meanwhile; it returns NotFound for an
// identifier that names none.
func New(find func(id string) (Chip, error)) *Field {
	return &Field{find: find, spots: map[string]spot{}, heard: func(_ string, chip iso7816.Transmitter) iso7816.Transmitter { return chip }}
}

// Hear has every exchange with a chip that is held go through what around makes of it: for
// who keeps a trace. Call it before the first chip is held.
func (f *Field) Hear(around func(id string, chip iso7816.Transmitter) iso7816.Transmitter) {
	f.heard = around
}

func (f *Field) spot(id string) spot {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.spots[id]
	if !ok {
		s = make(spot, 1)
		f.spots[id] = s
	}
	return s
}

// forget drops the spot of an identifier that names no chip.
func (f *Field) forget(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.spots, id)
}

// Hold takes the chip, waiting while another has it, until ctx ends.
func (f *Field) Hold(ctx context.Context, id string) (*Held, error) {
	s := f.spot(id)
	select {
	case s <- struct{}{}:
	case <-ctx.Done():
		return nil, warifu.Unavailable("chip-busy", "chip", id).With(ctx.Err())
	}
	chip, err := f.find(id)
	if err != nil {
		<-s
		f.forget(id)
		return nil, err
	}
	return &Held{spot: s, chip: chip, through: f.heard(id, chip)}, nil
}

// Held is a chip in somebody's hands.
type Held struct {
	spot    spot
	chip    Chip
	through iso7816.Transmitter // the chip, as it is heard
}

// Transmit implements iso7816.Transmitter.
func (h *Held) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return h.through.Transmit(ctx, command)
}

// ATR is the chip's answer to reset.
func (h *Held) ATR() []byte { return h.chip.ATR() }

// PowerOff takes the chip's power: nothing stays verified.
func (h *Held) PowerOff() { h.chip.PowerOff() }

// Release lets go of the chip and leaves its power on, for who carries one APDU at
// a time on another's behalf.
func (h *Held) Release() { <-h.spot }

// PutAway takes the power and lets go.
func (h *Held) PutAway() {
	h.PowerOff()
	h.Release()
}
