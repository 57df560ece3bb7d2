package iso7816

import (
	"context"
	"errors"
	"fmt"
)

// ErrRemoved says that the chip left the reader's field or the reader was closed.
var ErrRemoved = errors.New("chip removed from the reader")

// Response is a response APDU: data and a status word.
type Response struct {
	Data []byte
	SW   StatusWord
}

// Bytes encodes r.
func (r Response) Bytes() []byte {
	return append(append(make([]byte, 0, len(r.Data)+2), r.Data...), byte(r.SW>>8), byte(r.SW))
}

// ParseResponse splits a response APDU.
func ParseResponse(b []byte) (Response, error) {
	if len(b) < 2 || len(b) > MaxResponse {
		return Response{}, fmt.Errorf("%w: response of %d octets", ErrMalformed, len(b))
	}
	n := len(b) - 2
	return Response{Data: append([]byte(nil), b[:n]...), SW: StatusWord(uint16(b[n])<<8 | uint16(b[n+1]))}, nil
}

// Send transmits c and returns the response data. A status word other than 9000
// is returned as an error of type StatusWord, together with whatever data came
// with it. 61xx is followed by GET RESPONSE and 6Cxx by the same command with the
// right Le (ISO/IEC 7816-4 §5.3.4).
func Send(ctx context.Context, t Transmitter, c Command) ([]byte, error) {
	r, err := exchange(ctx, t, c)
	if err != nil {
		return nil, err
	}
	if r.SW>>8 == 0x6C {
		c.Ne = shortNe(byte(r.SW))
		if r, err = exchange(ctx, t, c); err != nil {
			return nil, err
		}
	}
	data := r.Data
	for r.SW>>8 == 0x61 {
		if len(data) > MaxExtendedNe {
			return nil, fmt.Errorf("%w: endless GET RESPONSE", ErrMalformed)
		}
		r, err = exchange(ctx, t, Command{CLA: c.CLA & 0x03, INS: 0xC0, Ne: shortNe(byte(r.SW))})
		if err != nil {
			return nil, err
		}
		if len(r.Data) == 0 && r.SW>>8 == 0x61 {
			return nil, fmt.Errorf("%w: empty GET RESPONSE", ErrMalformed)
		}
		data = append(data, r.Data...)
	}
	if r.SW != SWOK {
		return data, r.SW
	}
	return data, nil
}

func exchange(ctx context.Context, t Transmitter, c Command) (Response, error) {
	b, err := c.Bytes()
	if err != nil {
		return Response{}, err
	}
	out, err := t.Transmit(ctx, b)
	if err != nil {
		return Response{}, err
	}
	return ParseResponse(out)
}
