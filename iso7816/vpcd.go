package iso7816

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// The virtual reader's protocol of vsmartcard (docs/card-facts.md §3): every message is
// a length of two octets, the higher first, and that many octets. A single octet from
// the reader is a control; anything longer is a command APDU and is answered with its
// response. The chip connects to the reader, never the other way round.
const (
	vpcdPowerOff = 0x00
	vpcdPowerOn  = 0x01
	vpcdReset    = 0x02
	vpcdATR      = 0x04 // the only control that is answered
)

// maxVPCD is the longest message the length can tell; the longest APDUs fit but for one
// or two octets.
const maxVPCD = 0xFFFF

// Powered is a chip that notices the reader's power. A Transmitter without it has none.
type Powered interface {
	// PowerOff cuts the power: whatever was verified is forgotten.
	PowerOff()
	// Reset is the reader's warm reset.
	Reset()
}

// ServeVPCD puts chip into the virtual reader that listens at address (host:port) and
// answers for it until ctx ends (nil), the reader hangs up (io.EOF) or the chip is torn
// away. When the reader is gone the chip's power is, too. atr is the answer to reset: 2 to 33 octets.
func ServeVPCD(ctx context.Context, address string, chip Transmitter, atr []byte) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("virtual reader: %w", err)
	}
	return AnswerVPCD(ctx, conn, chip, atr)
}

// AnswerVPCD is ServeVPCD over a connection that stands already; it closes it.
func AnswerVPCD(ctx context.Context, conn io.ReadWriteCloser, chip Transmitter, atr []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
		if p, ok := chip.(Powered); ok {
			p.PowerOff()
		}
	}()
	for {
		acknowledgePromptly(conn)
		message, err := readVPCD(conn)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		answer, speak, err := answerVPCD(ctx, chip, atr, message)
		if err != nil {
			return err
		}
		if !speak {
			continue
		}
		if err := writeVPCD(conn, answer); err != nil {
			return err
		}
	}
}

// answerVPCD is what the chip's side says to one message, if anything.
func answerVPCD(ctx context.Context, chip Transmitter, atr, message []byte) (answer []byte, speak bool, err error) {
	if len(message) == 0 {
		return nil, false, fmt.Errorf("%w: an empty message from the reader", ErrMalformed)
	}
	if len(message) > 1 {
		answer, err = chip.Transmit(ctx, message)
		return answer, true, err
	}
	powered, _ := chip.(Powered)
	switch message[0] {
	case vpcdATR:
		return atr, true, nil
	case vpcdPowerOff:
		if powered != nil {
			powered.PowerOff()
		}
	case vpcdReset:
		if powered != nil {
			powered.Reset()
		}
	}
	return nil, false, nil // power on, and what a later protocol may add
}

// VPCDClient is the reader's side: a Transmitter for a chip in another process that
// speaks the same protocol over any stream.
type VPCDClient struct {
	mu     sync.Mutex
	stream io.ReadWriter
}

// NewVPCDClient speaks to the chip at the other end of stream.
func NewVPCDClient(stream io.ReadWriter) *VPCDClient { return &VPCDClient{stream: stream} }

// ATR asks for the answer to reset; an empty one means that no chip is there.
func (v *VPCDClient) ATR() ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ask([]byte{vpcdATR})
}

// PowerOn, PowerOff and Reset are the reader's controls.
func (v *VPCDClient) PowerOn() error { return v.control(vpcdPowerOn) }

// PowerOff cuts the chip's power.
func (v *VPCDClient) PowerOff() error { return v.control(vpcdPowerOff) }

// Reset resets the chip warm.
func (v *VPCDClient) Reset() error { return v.control(vpcdReset) }

func (v *VPCDClient) control(octet byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return torn(writeVPCD(v.stream, []byte{octet}))
}

// Transmit implements Transmitter. A broken stream is ErrRemoved. When ctx ends midway the
// stream is closed, if it can be: question and answer would no longer meet.
func (v *VPCDClient) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(command) < 4 {
		return nil, fmt.Errorf("%w: %d octets", ErrMalformed, len(command))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if c, ok := v.stream.(io.Closer); ok {
		defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	}
	return v.ask(command)
}

func (v *VPCDClient) ask(message []byte) ([]byte, error) {
	if err := writeVPCD(v.stream, message); err != nil {
		return nil, torn(err)
	}
	answer, err := readVPCD(v.stream)
	return answer, torn(err)
}

// torn says that the other end is gone, where that is what happened.
func torn(err error) error {
	if err == nil || errors.Is(err, ErrMalformed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrRemoved, err)
}

func readVPCD(r io.Reader) ([]byte, error) {
	var header [2]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(header[:]))
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return message, nil
}

func writeVPCD(w io.Writer, message []byte) error {
	if len(message) > maxVPCD {
		return fmt.Errorf("%w: %d octets for the virtual reader", ErrMalformed, len(message))
	}
	out := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(message)), uint16(len(message)))
	_, err := w.Write(append(out, message...))
	return err
}
