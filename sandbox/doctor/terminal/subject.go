package terminal

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"time"

	"warifu/iso7816"
)

// Subject is the software that is examined: it does one transaction with the chip that is
// put to its reader.
type Subject interface {
	// Try does one. chip is nil where none is put there. accepted is its answer; said what it
	// wrote, bounded. Error: context.DeadlineExceeded where it did not end in time, and what
	// kept it from being started at all.
	Try(ctx context.Context, chip iso7816.Transmitter, person Person) (accepted bool, said string, err error)
}

// Person is what is typed and announced.
type Person struct {
	PIN   string
	Class string // "card" or "phone"
	ATR   []byte
}

// Command is software that a command line starts for one transaction.
type Command struct {
	// Args is the command line; {pin} and {class} stand for what the person types and touches.
	Args []string
	// Phone is the command line where a phone is touched; empty: Args.
	Phone []string
	// Reader is where a virtual reader listens: host:port.
	Reader string
}

const (
	maxSaid  = 64 << 10
	dialWait = 50 * time.Millisecond
)

// Try implements Subject.
func (c Command) Try(ctx context.Context, chip iso7816.Transmitter, p Person) (bool, string, error) {
	line := c.Args
	if p.Class == "phone" && len(c.Phone) > 0 {
		line = c.Phone
	}
	args := make([]string, len(line))
	for i, a := range line {
		args[i] = strings.NewReplacer("{pin}", p.PIN, "{class}", p.Class).Replace(a)
	}
	said := &bounded{}
	run := exec.CommandContext(ctx, args[0], args[1:]...)
	run.Stdout, run.Stderr = said, said
	run.WaitDelay = time.Second
	if err := run.Start(); err != nil {
		return false, "", err
	}
	touching, away := context.WithCancel(ctx)
	touched := make(chan struct{})
	go func() {
		defer close(touched)
		if chip != nil {
			c.touch(touching, chip, p.ATR)
		}
	}()
	err := run.Wait()
	away()
	<-touched
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, said.String(), ctx.Err()
	case errors.As(err, &exit):
		return false, said.String(), nil
	}
	return err == nil, said.String(), err
}

// touch puts the chip to the reader as soon as that listens, and holds it there until it is
// torn away or the transaction has ended.
func (c Command) touch(ctx context.Context, chip iso7816.Transmitter, atr []byte) {
	tick := time.NewTicker(dialWait)
	defer tick.Stop()
	for ctx.Err() == nil {
		seen := &met{Transmitter: chip}
		err := iso7816.ServeVPCD(ctx, c.Reader, seen, atr)
		if seen.any() || errors.Is(err, iso7816.ErrRemoved) {
			return // it was there; what was torn away stays away
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// met is a chip that knows whether it was ever spoken to.
type met struct {
	iso7816.Transmitter
	mu  sync.Mutex
	yes bool
}

// Transmit implements iso7816.Transmitter.
func (m *met) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	m.mu.Lock()
	m.yes = true
	m.mu.Unlock()
	return m.Transmitter.Transmit(ctx, command)
}

// PowerOff implements iso7816.Powered.
func (m *met) PowerOff() {
	if p, is := m.Transmitter.(iso7816.Powered); is {
		p.PowerOff()
	}
}

// Reset implements iso7816.Powered.
func (m *met) Reset() {
	if p, is := m.Transmitter.(iso7816.Powered); is {
		p.Reset()
	}
}

func (m *met) any() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.yes
}

// bounded keeps the beginning of what is written.
type bounded struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (w *bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := maxSaid - w.b.Len(); room > 0 {
		w.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (w *bounded) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}
