package warifu

import (
	"crypto/sha256"
	"encoding/hex"
)

// Digest is a SHA-256 value. It identifies documents (SHA-256 of the eContent,
// design §3.1), sealed blobs, public keys (SHA-256 of the SubjectPublicKeyInfo) and
// certificates (SHA-256 of the DER).
type Digest [sha256.Size]byte

// DigestOf returns SHA-256 of b.
func DigestOf(b []byte) Digest { return sha256.Sum256(b) }

// String returns 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it accepts exactly 64 hexadecimal digits.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) != 2*len(d) {
		return Invalid("digest-malformed")
	}
	if _, err := hex.Decode(d[:], b); err != nil {
		return Invalid("digest-malformed")
	}
	return nil
}

// ElementIDLength is the length of a secure element's identifier in octets.
const ElementIDLength = 16

// ElementID identifies one secure element for life. Its first ten octets are the
// key diversification data that INITIALIZE UPDATE returns.
type ElementID [ElementIDLength]byte

// String returns 32 lower-case hexadecimal digits.
func (id ElementID) String() string { return hex.EncodeToString(id[:]) }

// IsZero reports whether id was never set.
func (id ElementID) IsZero() bool { return id == ElementID{} }

// ParseElementID is the inverse of String.
func ParseElementID(s string) (ElementID, error) {
	var id ElementID
	if len(s) != 2*len(id) {
		return id, Invalid("element-id-malformed")
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ElementID{}, Invalid("element-id-malformed")
	}
	return id, nil
}

// MarshalText implements encoding.TextMarshaler.
func (id ElementID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ElementID) UnmarshalText(b []byte) error {
	v, err := ParseElementID(string(b))
	if err != nil {
		return err
	}
	*id = v
	return nil
}
