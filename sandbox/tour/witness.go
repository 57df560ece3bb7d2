package tour

import (
	"context"
	"errors"
	"sync/atomic"

	"warifu/iso7816"
)

// witness is the card as the app taps it, and somebody who watches: the app changes none of
// the card's passwords (R31), whatever it is asked to do.
type witness struct {
	iso7816.Transmitter
	changed atomic.Bool
}

// The commands that change a secret (ISO/IEC 7816-4:2013 §11.5.7 and §11.5.10).
const (
	insChangeReferenceData = 0x24
	insResetRetryCounter   = 0x2C
)

// Transmit implements iso7816.Transmitter.
func (w *witness) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if len(command) > 1 && (command[1] == insChangeReferenceData || command[1] == insResetRetryCounter) {
		w.changed.Store(true)
	}
	return w.Transmitter.Transmit(ctx, command)
}

func (w *witness) innocent() error {
	if w.changed.Load() {
		return errors.New("the app changed one of the card's passwords")
	}
	return nil
}
