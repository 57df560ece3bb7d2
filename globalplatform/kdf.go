package globalplatform

import (
	"encoding/binary"
	"fmt"
)

// The derivation constants of Amendment D §4.1.5, table 4-1.
const (
	constantCardCryptogram byte = 0x00
	constantHostCryptogram byte = 0x01
	constantCardChallenge  byte = 0x02
	constantSessionENC     byte = 0x04
	constantSessionMAC     byte = 0x06
	constantSessionRMAC    byte = 0x07
)

// derive is the KDF of Amendment D §4.1.5: SP 800-108 in counter mode with CMAC; the
// label is eleven zero octets and the constant, then 00, L in bits (2), i (1), context.
func derive(key Key, constant byte, context []byte, octets int) ([]byte, error) {
	input := make([]byte, 16, 16+len(context))
	input[11] = constant
	binary.BigEndian.PutUint16(input[13:], uint16(octets*8))
	input = append(input, context...)
	return counterMode(key, octets, func(i byte) []byte { input[15] = i; return input })
}

// Diversify derives bits (128 or 256) of key material for one chip from a master key:
// SP 800-108 §4.1 in counter mode with CMAC over i (4 octets) ‖ label ‖ 00 ‖ context ‖
// L in bits (4 octets). It needs nothing of the master but the operation.
func Diversify(master Key, label string, context []byte, bits int) ([]byte, error) {
	if bits != 128 && bits != 256 {
		return nil, fmt.Errorf("globalplatform: key of %d bits", bits)
	}
	input := append(make([]byte, 4, 9+len(label)+len(context)), label...)
	input = append(append(input, 0), context...)
	input = binary.BigEndian.AppendUint32(input, uint32(bits))
	return counterMode(master, bits/8, func(i byte) []byte { input[3] = i; return input })
}

func counterMode(key Key, octets int, input func(i byte) []byte) ([]byte, error) {
	var out []byte
	for i := byte(1); len(out) < octets; i++ {
		block, err := key.CMAC(input(i))
		if err != nil {
			return nil, err
		}
		if len(block) != blockSize {
			return nil, fmt.Errorf("globalplatform: CMAC of %d octets", len(block))
		}
		out = append(out, block...)
	}
	return out[:octets], nil
}
