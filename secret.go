package warifu

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// secret holds octets that no formatter, encoder or logger will show.
type secret struct{ octets []byte }

const hidden = "[hidden]"

// CardPIN is a password or PIN of the *card* (R25). It is never the same type as
// an ActivationSecret, so that the compiler refuses to confuse the two (R28).
type CardPIN struct{ s secret }

// ActivationSecret is a password or PIN of the *phone* (R26, R27).
type ActivationSecret struct{ s secret }

// NewCardPIN copies octets, exactly as they shall go to the chip.
func NewCardPIN(octets []byte) CardPIN { return CardPIN{newSecret(octets)} }

// NewActivationSecret copies octets, exactly as they shall go to the chip.
func NewActivationSecret(octets []byte) ActivationSecret { return ActivationSecret{newSecret(octets)} }

func newSecret(octets []byte) secret { return secret{append([]byte(nil), octets...)} }

// Reveal returns a copy of the octets; callers are the wire (a VERIFY command) and
// nothing else.
func (p CardPIN) Reveal() []byte { return append([]byte(nil), p.s.octets...) }

// Len returns the number of octets.
func (p CardPIN) Len() int { return len(p.s.octets) }

// Equal compares in constant time.
func (p CardPIN) Equal(q CardPIN) bool {
	return subtle.ConstantTimeCompare(p.s.octets, q.s.octets) == 1
}

// Format implements fmt.Formatter for every verb and flag.
func (p CardPIN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText implements encoding.TextMarshaler, so that no encoder shows the octets.
func (p CardPIN) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (p CardPIN) LogValue() slog.Value { return slog.StringValue(hidden) }

// Reveal returns a copy of the octets; callers are the wire (VERIFY, CHANGE
// REFERENCE DATA) and nothing else.
func (a ActivationSecret) Reveal() []byte { return append([]byte(nil), a.s.octets...) }

// Len returns the number of octets.
func (a ActivationSecret) Len() int { return len(a.s.octets) }

// Equal compares in constant time.
func (a ActivationSecret) Equal(b ActivationSecret) bool {
	return subtle.ConstantTimeCompare(a.s.octets, b.s.octets) == 1
}

// Format implements fmt.Formatter for every verb and flag.
func (a ActivationSecret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText implements encoding.TextMarshaler, so that no encoder shows the octets.
func (a ActivationSecret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (a ActivationSecret) LogValue() slog.Value { return slog.StringValue(hidden) }
