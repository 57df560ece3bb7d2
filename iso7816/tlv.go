package iso7816

import (
	"errors"
	"fmt"
)

// Tag is a BER tag as its octets read: 0x30, 0x5F37, 0x7F21, 0xDF21 (X.690 §8.1.2,
// ISO/IEC 7816-4 §5.2.2). Tags of up to three octets exist here.
type Tag uint32

// TLV is one BER-TLV data object.
type TLV struct {
	Tag   Tag
	Value []byte // shares the memory of what was parsed
}

// ErrTLV is wrapped by every error about octets that are no data object.
var ErrTLV = errors.New("malformed BER-TLV")

const (
	maxTagOctets    = 3
	maxLengthOctets = 4 // one that counts and three that say: no chip file is longer
	maxObjects      = 4096
)

// Constructed reports whether the tag says that its value is data objects again.
func (t Tag) Constructed() bool {
	for t > 0xFF {
		t >>= 8
	}
	return t&0x20 != 0
}

// ReadTLV splits the first data object off b and returns what follows it. It is
// strict: definite lengths in their shortest form only, tags in their shortest form,
// nothing that reaches past the end.
func ReadTLV(b []byte) (object TLV, rest []byte, err error) {
	tag, after, err := readTag(b)
	if err != nil {
		return TLV{}, nil, err
	}
	n, after, err := readLength(after)
	if err != nil {
		return TLV{}, nil, fmt.Errorf("tag %X: %w", uint32(tag), err)
	}
	if n > len(after) {
		return TLV{}, nil, fmt.Errorf("tag %X: %w: %d octets of %d", uint32(tag), ErrTLV, len(after), n)
	}
	return TLV{Tag: tag, Value: after[:n:n]}, after[n:], nil
}

// ParseTLV reads b as exactly one data object with the given tag and returns its value.
func ParseTLV(b []byte, tag Tag) ([]byte, error) {
	object, rest, err := ReadTLV(b)
	if err != nil {
		return nil, err
	}
	if object.Tag != tag || len(rest) != 0 {
		return nil, fmt.Errorf("%w: tag %X and %d octets after it, want %X and none", ErrTLV, uint32(object.Tag), len(rest), uint32(tag))
	}
	return object.Value, nil
}

// ParseTLVs reads b as a row of data objects, to its last octet.
func ParseTLVs(b []byte) ([]TLV, error) {
	var objects []TLV
	for len(b) > 0 {
		if len(objects) == maxObjects {
			return nil, fmt.Errorf("%w: more than %d objects", ErrTLV, maxObjects)
		}
		object, rest, err := ReadTLV(b)
		if err != nil {
			return nil, err
		}
		objects, b = append(objects, object), rest
	}
	return objects, nil
}

// FindTLV returns the value of the first object with the tag in a row.
func FindTLV(objects []TLV, tag Tag) ([]byte, bool) {
	for _, o := range objects {
		if o.Tag == tag {
			return o.Value, true
		}
	}
	return nil, false
}

// AppendTLV appends tag, shortest length and value to dst.
func AppendTLV(dst []byte, tag Tag, value []byte) []byte {
	return append(appendLength(appendTag(dst, tag), len(value)), value...)
}

// MakeTLV joins the parts into the value of one data object.
func MakeTLV(tag Tag, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := appendLength(appendTag(make([]byte, 0, n+8), tag), n)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func readTag(b []byte) (Tag, []byte, error) {
	if len(b) == 0 {
		return 0, nil, fmt.Errorf("%w: no tag", ErrTLV)
	}
	tag := Tag(b[0])
	if b[0]&0x1F != 0x1F {
		return tag, b[1:], nil
	}
	for i := 1; i < len(b) && i < maxTagOctets; i++ {
		tag = tag<<8 | Tag(b[i])
		if i == 1 && (b[1] < 0x1F || b[1] == 0x80) {
			return 0, nil, fmt.Errorf("%w: tag %X in a longer form than it needs", ErrTLV, uint32(tag))
		}
		if b[i]&0x80 == 0 {
			return tag, b[i+1:], nil
		}
	}
	return 0, nil, fmt.Errorf("%w: endless tag", ErrTLV)
}

func readLength(b []byte) (int, []byte, error) {
	if len(b) == 0 {
		return 0, nil, fmt.Errorf("%w: no length", ErrTLV)
	}
	if b[0] < 0x80 {
		return int(b[0]), b[1:], nil
	}
	octets := int(b[0] & 0x7F)
	if octets == 0 || octets >= maxLengthOctets || len(b) < 1+octets {
		return 0, nil, fmt.Errorf("%w: length of %d octets", ErrTLV, octets)
	}
	n := 0
	for _, o := range b[1 : 1+octets] {
		n = n<<8 | int(o)
	}
	if n < 0x80 || n>>(8*(octets-1)) == 0 {
		return 0, nil, fmt.Errorf("%w: length %d in a longer form than it needs", ErrTLV, n)
	}
	return n, b[1+octets:], nil
}

func appendTag(dst []byte, tag Tag) []byte {
	for shift := 16; shift > 0; shift -= 8 {
		if tag>>shift != 0 {
			dst = append(dst, byte(tag>>shift))
		}
	}
	return append(dst, byte(tag))
}

func appendLength(dst []byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(dst, byte(n))
	case n <= 0xFF:
		return append(dst, 0x81, byte(n))
	case n <= 0xFFFF:
		return append(dst, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
}
