package crl

import (
	"bytes"
	"math"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// buildIndex checks every entry and sorts their places by serial number.
func (l *List) buildIndex() error {
	rest := cryptobyte.String(l.entries)
	for !rest.Empty() {
		offset := len(l.entries) - len(rest)
		if offset > math.MaxUint32 {
			return warifu.TooLarge("crl-too-large")
		}
		if _, ok := readEntry(&rest, l.Base != nil); !ok {
			return malformed("entry")
		}
		l.index = append(l.index, uint32(offset)) //nolint:gosec // bounded above
	}
	slices.SortFunc(l.index, func(a, b uint32) int { return compareSerials(l.serialAt(a), l.serialAt(b)) })
	for i := 1; i < len(l.index); i++ {
		if bytes.Equal(l.serialAt(l.index[i-1]), l.serialAt(l.index[i])) {
			return malformed("a serial number twice")
		}
	}
	return nil
}

// compareSerials orders big-endian numbers without leading zeros.
func compareSerials(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

// serialAt returns the serial number of the entry at the offset, which buildIndex checked.
func (l *List) serialAt(offset uint32) []byte {
	rest := cryptobyte.String(l.entries[offset:])
	var entry cryptobyte.String
	_ = rest.ReadASN1(&entry, cbasn1.SEQUENCE)
	serial, _ := readSerial(&entry)
	return serial
}

// Len returns the number of entries.
func (l *List) Len() int { return len(l.index) }

// Lookup returns what the list says of the serial number, big-endian without sign
// octet: the entry's status, or false where it has none. No entry in a full list
// means good only within the list's scope and after Verify; in a delta it means
// "as in the base", and an entry that is good means removed from it.
func (l *List) Lookup(serial []byte) (warifu.Status, bool) {
	serial = bytes.TrimLeft(serial, "\x00")
	i, found := slices.BinarySearchFunc(l.index, serial, func(offset uint32, s []byte) int { return compareSerials(l.serialAt(offset), s) })
	if !found {
		return warifu.Status{}, false
	}
	return l.recordAt(l.index[i]).Status, true
}

// recordAt returns the entry at the offset, which buildIndex checked.
func (l *List) recordAt(offset uint32) warifu.StatusRecord {
	rest := cryptobyte.String(l.entries[offset:])
	record, _ := readEntry(&rest, l.Base != nil)
	return record
}

// Each calls f with every entry in order of serial number until f returns false. Serial is
// shared with the list; Kind is not set.
func (l *List) Each(f func(warifu.StatusRecord) bool) {
	for _, offset := range l.index {
		if !f(l.recordAt(offset)) {
			return
		}
	}
}
