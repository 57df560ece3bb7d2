package warifu

import "fmt"

// Kind says which of the two certificates a credential carries (R1). Each kind
// has its own certification authority, its own key on the chip and its own
// activation secret (R29).
type Kind uint8

// The two kinds. The numbers are on the wire between server and chip
// (docs/secure-element.md) and in stored rows; they never change.
const (
	// Signature is 署名用: the key signs documents; its certificate carries the four attributes.
	Signature Kind = 1
	// Authentication is 利用者証明用: the key answers challenges; its certificate carries no name.
	Authentication Kind = 2
)

// Kinds lists every kind in the order in which they are issued and shown.
var Kinds = [...]Kind{Signature, Authentication}

// String returns the kind's name in addresses, rows and JSON: "signature" or "authentication".
func (k Kind) String() string {
	switch k {
	case Signature:
		return "signature"
	case Authentication:
		return "authentication"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Valid reports whether k is one of the two kinds.
func (k Kind) Valid() bool { return k == Signature || k == Authentication }

// ParseKind is the inverse of String; anything else is an Invalid error.
func ParseKind(s string) (Kind, error) {
	for _, k := range Kinds {
		if s == k.String() {
			return k, nil
		}
	}
	return 0, Invalid("kind-unknown", "kind", s)
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) {
	if !k.Valid() {
		return nil, Invalid("kind-unknown", "kind", k.String())
	}
	return []byte(k.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(b []byte) error {
	v, err := ParseKind(string(b))
	if err != nil {
		return err
	}
	*k = v
	return nil
}
