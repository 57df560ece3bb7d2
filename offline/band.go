package offline

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// width is how many neighbouring bits of a column an equation may touch. Wider bands
// waste less room, and 256 leaves well under two in a hundred.
const width = 256

const words = width / 64

// band is the solution of a system of linear equations over GF(2), one equation for
// each key and column: the bits of the column at the key's place, masked by the key's
// coefficients, add up to the key's bit. Whoever looks up a key that was in the system
// gets its value back; any other key gets an arbitrary one. It is the ribbon of
// Dillinger and Walzer (2021) with one band over all keys.
type band struct {
	seed    uint32
	length  uint32     // of a column, in bits
	columns [][]uint64 // each with words to spare behind it, so that a window never ends outside
}

// equation is one key's row: its coefficients begin at bit start, which is always 1.
type equation struct {
	coefficients [words]uint64
	start        uint32
	value        uint32
}

// scatter draws the key's place and coefficients. The key is a cryptographic digest
// already; mixing has only to make the draws of two seeds independent.
func (b *band) scatter(k Key) equation {
	var e equation
	place := mix(binary.LittleEndian.Uint64(k[0:]) ^ uint64(b.seed)*0x9e3779b97f4a7c15)
	high, _ := bits.Mul64(place, uint64(b.length-width+1))
	e.start = uint32(high)
	state := mix(binary.LittleEndian.Uint64(k[8:]) + place)
	for i := range e.coefficients {
		state += binary.LittleEndian.Uint64(k[16:]) | 1
		e.coefficients[i] = mix(state)
	}
	e.coefficients[0] |= 1
	return e
}

// mix is the finalizer of SplitMix64: every bit of the input reaches every bit of the output.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// lookup returns the key's value, a bit a column, and stops early with another value
// once a column differs from want.
func (b *band) lookup(k Key, want uint32) (value uint32) {
	if len(b.columns) == 0 {
		return 0
	}
	e := b.scatter(k)
	for i, column := range b.columns {
		value |= e.sum(column) << i
		if (value^want)&(1<<i) != 0 {
			return value
		}
	}
	return value
}

// sum adds up the bits of a column under the coefficients.
func (e *equation) sum(column []uint64) uint32 {
	at, shift := int(e.start/64), e.start%64
	var folded uint64
	for i, c := range e.coefficients {
		window := column[at+i] >> shift
		if shift > 0 {
			window |= column[at+i+1] << (64 - shift)
		}
		folded ^= window & c
	}
	return uint32(bits.OnesCount64(folded) & 1)
}

// solve finds a band that gives every key its value, in the low columns bits of
// values[i]. Keys must be distinct: the same key with two values has no solution, and
// ok is false. It starts with hardly more room than keys and makes it wider until the
// system can be solved; everything is determined by the input.
func solve(keys []Key, values func(int) uint32, columns int) (solved *band, ok bool) {
	if len(keys) == 0 || columns == 0 {
		return &band{}, true
	}
	rows := make([]equation, len(keys))
	for try := range uint32(64) {
		spare := width/2 + len(keys)*int(2+try)/400 // half a percent, and a quarter more each time
		b := &band{seed: try, length: uint32(len(keys) + spare + width)}
		for i, k := range keys {
			rows[i] = b.scatter(k)
			rows[i].value = values(i)
		}
		if b.eliminate(rows, columns) {
			return b, true
		}
	}
	return nil, false
}

// eliminate brings the system into echelon form, row by row from the left, and solves
// it from the right. It reports whether there was a solution.
func (b *band) eliminate(rows []equation, columns int) bool {
	slices.SortFunc(rows, func(x, y equation) int { return int(x.start) - int(y.start) })
	pivots := make([]equation, b.length)
	for _, e := range rows {
		if !insert(pivots, e) {
			return false
		}
	}
	b.columns = make([][]uint64, columns)
	for c := range b.columns {
		b.columns[c] = make([]uint64, columnWords(b.length))
	}
	for at := int(b.length) - 1; at >= 0; at-- {
		e := &pivots[at]
		if e.coefficients[0] == 0 {
			continue // nobody cares for this bit: zero
		}
		e.start = uint32(at)
		for c, column := range b.columns {
			if e.sum(column) != e.value>>c&1 {
				column[at/64] |= 1 << (at % 64)
			}
		}
	}
	return true
}

// insert reduces the equation by those that stand until it has a place of its own.
// One that vanishes is a contradiction unless its value vanishes too.
func insert(pivots []equation, e equation) bool {
	for {
		p := &pivots[e.start]
		if p.coefficients[0] == 0 {
			*p = e
			return true
		}
		for i := range e.coefficients {
			e.coefficients[i] ^= p.coefficients[i]
		}
		e.value ^= p.value
		if !e.align() {
			return e.value == 0
		}
	}
}

// align shifts the coefficients until the first is 1; false where none is left.
func (e *equation) align() bool {
	for e.coefficients[0] == 0 {
		if e.coefficients == ([words]uint64{}) {
			return false
		}
		copy(e.coefficients[:], e.coefficients[1:])
		e.coefficients[words-1] = 0
		e.start += 64
	}
	n := bits.TrailingZeros64(e.coefficients[0])
	if n == 0 {
		return true
	}
	for i := range words - 1 {
		e.coefficients[i] = e.coefficients[i]>>n | e.coefficients[i+1]<<(64-n)
	}
	e.coefficients[words-1] >>= n
	e.start += uint32(n)
	return true
}

// columnWords is how many words a column of that many bits takes, with a window's room behind.
func columnWords(length uint32) int { return int(length+63)/64 + 1 }
