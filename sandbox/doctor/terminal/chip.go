package terminal

import (
	"context"
	"slices"
	"sync"

	"warifu/iso7816"
	"warifu/jpki"
)

// Chip is a chip of the demo as a case uses it.
type Chip struct {
	iso7816.Transmitter
	ATR   []byte
	PIN   string // of the authentication key
	Class string // "card" or "phone"
}

// step is what a command is about, as far as a terminal's software has any business with it.
type step int

const (
	stepOther       step = iota
	stepApplication      // SELECT by name (ISO/IEC 7816-4 §11.2.2)
	stepFile             // SELECT a file
	stepRead             // READ BINARY
	stepTries            // VERIFY without data: how many tries are left
	stepVerify           // VERIFY with a secret
	stepSign             // PERFORM SECURITY OPERATION: COMPUTE DIGITAL SIGNATURE
)

// instructions of ISO/IEC 7816-4 and -8.
const (
	insSelect = 0xA4
	insRead   = 0xB0
	insVerify = 0x20
	insSign   = 0x2A
)

func stepOf(command []byte) step {
	c, err := iso7816.ParseCommand(command)
	switch {
	case err != nil:
		return stepOther
	case c.INS == insSelect && c.P1 == 0x04:
		return stepApplication
	case c.INS == insSelect:
		return stepFile
	case c.INS == insRead:
		return stepRead
	case c.INS == insVerify && len(c.Data) == 0:
		return stepTries
	case c.INS == insVerify:
		return stepVerify
	case c.INS == insSign:
		return stepSign
	}
	return stepOther
}

// answer is how a chip would answer; twist is what a case makes of that. at counts the
// commands since the chip got power, from 0.
type answer func() ([]byte, error)

type twist func(ctx context.Context, at int, s step, command []byte, sound answer) ([]byte, error)

// watched is a chip in the reader: it answers as its case wants, and remembers what it was
// asked. It implements iso7816.Powered.
type watched struct {
	chip  Chip
	twist twist // nil: the chip answers

	mu       sync.Mutex
	at       int
	sent     []step
	foreign  bool // a command no terminal has any business with came
	file     jpki.FileID
	answered bool // since the power came, something was verified or signed
}

// Transmit implements iso7816.Transmitter.
func (w *watched) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	s := stepOf(command)
	w.mu.Lock()
	at := w.at
	w.at++
	w.sent = append(w.sent, s)
	w.foreign = w.foreign || s == stepOther
	w.answered = w.answered || s == stepVerify || s == stepSign
	w.track(s, command)
	w.mu.Unlock()
	sound := func() ([]byte, error) { return w.chip.Transmit(ctx, command) }
	if w.twist == nil {
		return sound()
	}
	return w.twist(ctx, at, s, command, sound)
}

// track follows which file is current.
func (w *watched) track(s step, command []byte) {
	c, err := iso7816.ParseCommand(command)
	if err != nil {
		return
	}
	switch {
	case s == stepFile && len(c.Data) == 2:
		w.file = jpki.FileID(uint16(c.Data[0])<<8 | uint16(c.Data[1]))
	case s == stepRead && c.P1&0x80 != 0: // a short identifier selects as well
		for _, f := range []jpki.FileID{jpki.FileToken, jpki.FileAuthenticationCertificate, jpki.FileSignatureCertificate} {
			if f.Short() == c.P1&0x1F {
				w.file = f
			}
		}
	}
}

// current is the file that was selected last.
func (w *watched) current() jpki.FileID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.file
}

// PowerOff implements iso7816.Powered.
func (w *watched) PowerOff() {
	w.mu.Lock()
	w.at, w.answered, w.file = 0, false, 0
	w.mu.Unlock()
	if p, is := w.chip.Transmitter.(iso7816.Powered); is {
		p.PowerOff()
	}
}

// Reset implements iso7816.Powered.
func (w *watched) Reset() {
	w.mu.Lock()
	w.at, w.answered, w.file = 0, false, 0
	w.mu.Unlock()
	if p, is := w.chip.Transmitter.(iso7816.Powered); is {
		p.Reset()
	}
}

// count is how many commands of a step came.
func (w *watched) count(s step) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.sent {
		if one == s {
			n++
		}
	}
	return n
}

// after reports whether a command of the second step came after one of the first.
func (w *watched) after(first, second step) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.sent, first)
	return i >= 0 && slices.Contains(w.sent[i:], second)
}

// left reports whether the chip was left with power and something verified.
func (w *watched) left() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answered
}
