// Package field is the reader's field: every chip of the sandbox by its identifier,
// one holder at a time, powered off between two. A chip is opened when it is first
// held, since making a card's keys takes a moment.
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
}

// Field knows the chips. Its methods may be called at any time from anywhere.
type Field struct {
	find  func(id string) (Chip, error)
	mu    sync.Mutex
	spots map[string]*spot
}

type spot struct {
	taken chan struct{} // holds one token while somebody holds the chip
	chip  Chip
}

// New makes a field of the chips that find opens. find is called once for each
// identifier that it knows, and returns NotFound "chip-unknown" for others.
func New(find func(id string) (Chip, error)) *Field {
	return &Field{find: find, spots: map[string]*spot{}}
}

func (f *Field) spot(id string) *spot {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.spots[id]
	if !ok {
		s = &spot{taken: make(chan struct{}, 1)}
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
	case s.taken <- struct{}{}:
	case <-ctx.Done():
		return nil, warifu.Unavailable("chip-busy", "chip", id).With(ctx.Err())
	}
	if s.chip == nil {
		chip, err := f.find(id)
		if err != nil {
			<-s.taken
			f.forget(id)
			return nil, err
		}
		s.chip = chip
	}
	return &Held{spot: s}, nil
}

// Held is a chip in somebody's hands.
type Held struct{ spot *spot }

// Transmit implements iso7816.Transmitter.
func (h *Held) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return h.spot.chip.Transmit(ctx, command)
}

// PowerOff takes the chip's power: nothing stays verified.
func (h *Held) PowerOff() { h.spot.chip.PowerOff() }

// Release lets go of the chip and leaves its power on, for who carries one APDU at
// a time on another's behalf.
func (h *Held) Release() { <-h.spot.taken }

// PutAway takes the power and lets go.
func (h *Held) PutAway() {
	h.PowerOff()
	h.Release()
}
