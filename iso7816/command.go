package iso7816

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Bounds of ISO/IEC 7816-4 §5.1.
const (
	MaxShortData    = 255
	MaxShortNe      = 256
	MaxExtendedData = 65535
	MaxExtendedNe   = 65536
	// MaxCommand is the longest command APDU: header, extended Lc, data, extended Le.
	MaxCommand = 4 + 3 + MaxExtendedData + 2
	// MaxResponse is the longest response APDU.
	MaxResponse = MaxExtendedNe + 2
)

// ErrMalformed is wrapped by every error about octets that are no APDU.
var ErrMalformed = errors.New("malformed APDU")

// Command is a command APDU (ISO/IEC 7816-4 §5.1). Ne is the number of response
// octets asked for: 0 for none, 256 (or 65536 extended) for "all there are".
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte
	Ne               int
	// Extended forces the extended form of Lc and Le; it is chosen by itself
	// where the short form cannot hold the lengths.
	Extended bool
}

// Bytes encodes c in the shortest form that holds it.
func (c Command) Bytes() ([]byte, error) {
	if len(c.Data) > MaxExtendedData || c.Ne < 0 || c.Ne > MaxExtendedNe {
		return nil, fmt.Errorf("%w: %d data octets, Ne %d", ErrMalformed, len(c.Data), c.Ne)
	}
	out := append(make([]byte, 0, 9+len(c.Data)), c.CLA, c.INS, c.P1, c.P2)
	if !c.Extended && len(c.Data) <= MaxShortData && c.Ne <= MaxShortNe {
		if len(c.Data) > 0 {
			out = append(append(out, byte(len(c.Data))), c.Data...)
		}
		if c.Ne > 0 {
			out = append(out, byte(c.Ne)) // 256 is written 00
		}
		return out, nil
	}
	if len(c.Data) == 0 && c.Ne == 0 {
		return out, nil
	}
	out = append(out, 0)
	if len(c.Data) > 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(len(c.Data)))
		out = append(out, c.Data...)
	}
	if c.Ne > 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(c.Ne)) // 65536 is written 0000
	}
	return out, nil
}

// ParseCommand decodes the four cases of ISO/IEC 7816-4 §5.1, short and extended.
func ParseCommand(b []byte) (Command, error) {
	if len(b) < 4 || len(b) > MaxCommand {
		return Command{}, fmt.Errorf("%w: %d octets", ErrMalformed, len(b))
	}
	c := Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3]}
	body := b[4:]
	switch {
	case len(body) == 0: // case 1
		return c, nil
	case len(body) == 1: // case 2 short
		c.Ne = shortNe(body[0])
		return c, nil
	case body[0] != 0: // cases 3 and 4 short
		return parseShortBody(c, body)
	default:
		return parseExtendedBody(c, body)
	}
}

func shortNe(b byte) int {
	if b == 0 {
		return MaxShortNe
	}
	return int(b)
}

func extendedNe(b []byte) int {
	if n := int(binary.BigEndian.Uint16(b)); n != 0 {
		return n
	}
	return MaxExtendedNe
}

func parseShortBody(c Command, body []byte) (Command, error) {
	n := int(body[0])
	rest := body[1:]
	if len(rest) != n && len(rest) != n+1 {
		return Command{}, fmt.Errorf("%w: Lc %d before %d octets", ErrMalformed, n, len(rest))
	}
	c.Data = append([]byte(nil), rest[:n]...)
	if len(rest) == n+1 {
		c.Ne = shortNe(rest[n])
	}
	return c, nil
}

func parseExtendedBody(c Command, body []byte) (Command, error) {
	c.Extended = true
	if len(body) == 3 { // case 2 extended
		c.Ne = extendedNe(body[1:])
		return c, nil
	}
	if len(body) < 4 {
		return Command{}, fmt.Errorf("%w: extended length of %d octets", ErrMalformed, len(body))
	}
	n := int(binary.BigEndian.Uint16(body[1:3]))
	rest := body[3:]
	if n == 0 || (len(rest) != n && len(rest) != n+2) {
		return Command{}, fmt.Errorf("%w: extended Lc %d before %d octets", ErrMalformed, n, len(rest))
	}
	c.Data = append([]byte(nil), rest[:n]...)
	if len(rest) == n+2 {
		c.Ne = extendedNe(rest[n:])
	}
	return c, nil
}
