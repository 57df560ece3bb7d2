package offline

import (
	"encoding/binary"

	"golang.org/x/crypto/cryptobyte"

	"warifu"
)

// MaxFilter bounds a written filter in octets: that of a hundred million certificates
// of which one in ten is revoked takes some seven million.
const MaxFilter = 32 << 20

// Filter on the wire, all integers big-endian:
//
//	version (1 octet, 1) ‖ k (1 octet, 0 to 28) ‖ passing band ‖ exact band
//	band: columns' length in bits (4 octets, 0 for an empty band) ‖ seed (4 octets) ‖ columns
//	column: bit i is bit i mod 8, from the least significant, of octet i div 8; padding is zero
const filterVersion = 1

// Marshal writes the filter down.
func (f *Filter) Marshal() []byte {
	out := []byte{filterVersion, byte(len(f.passing.columns))}
	return f.exact.append(f.passing.append(out))
}

func (b *band) append(out []byte) []byte {
	if len(b.columns) == 0 {
		return append(out, make([]byte, 8)...)
	}
	out = binary.BigEndian.AppendUint32(out, b.length)
	out = binary.BigEndian.AppendUint32(out, b.seed)
	for _, column := range b.columns {
		for i := range int(b.length+7) / 8 {
			out = append(out, byte(column[i/8]>>(8*(i%8))))
		}
	}
	return out
}

// ParseFilter reads what Marshal wrote. Errors: Invalid "offline-filter-malformed",
// TooLarge "offline-too-large".
func ParseFilter(in []byte) (*Filter, error) {
	if len(in) > MaxFilter {
		return nil, warifu.TooLarge("offline-too-large")
	}
	s := cryptobyte.String(in)
	var version, k uint8
	if !s.ReadUint8(&version) || version != filterVersion || !s.ReadUint8(&k) || k > maxColumns {
		return nil, warifu.Invalid("offline-filter-malformed")
	}
	f := &Filter{}
	if !f.passing.read(&s, int(k)) || !f.exact.read(&s, 1) || !s.Empty() {
		return nil, warifu.Invalid("offline-filter-malformed")
	}
	return f, nil
}

// read takes a band off s; an empty one has no columns, whatever was wanted.
func (b *band) read(s *cryptobyte.String, columns int) bool {
	if !s.ReadUint32(&b.length) || !s.ReadUint32(&b.seed) {
		return false
	}
	if b.length == 0 || columns == 0 {
		return b.length == 0 && b.seed == 0
	}
	if b.length < width || int64(b.length) > 8*MaxFilter {
		return false
	}
	size := int(b.length+7) / 8
	for range columns {
		var octets []byte
		if !s.ReadBytes(&octets, size) {
			return false
		}
		if rest := b.length % 8; rest != 0 && octets[size-1]>>rest != 0 {
			return false
		}
		column := make([]uint64, columnWords(b.length))
		for i, o := range octets {
			column[i/8] |= uint64(o) << (8 * (i % 8))
		}
		b.columns = append(b.columns, column)
	}
	return true
}
