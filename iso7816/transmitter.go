// Package iso7816 speaks ISO/IEC 7816-4: command and response APDUs, status words
// as errors, BER-TLV, and Transmitter, the one-method door to any chip, be it
// emulated, behind PC/SC or behind the virtual reader's protocol. It knows no
// application and no person.
package iso7816

import "context"

// Transmitter is the door to a chip. Transmit sends one command APDU and returns
// the response APDU (data and the two status octets). An error means that the
// chip was not reached or was torn away (ErrRemoved); a refusal by the chip is a
// status word in the response, not an error. Implementations are safe for one
// caller at a time.
type Transmitter interface {
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
}

// TransmitterFunc makes a Transmitter of a function.
type TransmitterFunc func(ctx context.Context, command []byte) ([]byte, error)

// Transmit implements Transmitter.
func (f TransmitterFunc) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return f(ctx, command)
}
