package profile

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"strings"

	"warifu"
)

// MaxPartitions bounds how many partial lists an authority publishes.
const MaxPartitions = 1024

// Partitions says which of an authority's partial revocation lists speaks of a
// certificate: a pseudo-random function of its serial number under a key of its own.
// From outside the lists are random draws, so that the one a certificate names tells
// nothing of the person, of the order of issuance, or of the person's other
// certificates. The zero value has no partitions: all certificates name the full list.
type Partitions struct {
	n     int
	block cipher.Block
}

// NewPartitions takes the number of partitions, 1 to MaxPartitions, and the AES block
// cipher under a key that is used for this alone. Neither may change while a certificate
// that names a partition lives. Error: Invalid "partitions-malformed".
func NewPartitions(n int, block cipher.Block) (Partitions, error) {
	if n < 1 || n > MaxPartitions || block == nil || block.BlockSize() != 16 {
		return Partitions{}, warifu.Invalid("partitions-malformed")
	}
	return Partitions{n, block}, nil
}

// Len returns how many partitions there are; 0: none.
func (p Partitions) Len() int { return p.n }

// Of returns the partition of a serial number (big-endian, at most 20 octets, leading
// zeros do not count), from 0 to Len()-1; 0 where there are none. It is CBC-MAC of the
// number in two blocks, always two, and so a pseudo-random function; the remainder of
// 64 bits favours no partition by more than one in 2⁵⁴.
func (p Partitions) Of(serial []byte) int {
	if p.n == 0 {
		return 0
	}
	const size = 16
	var message [2 * size]byte
	for len(serial) > len(message) {
		serial = serial[1:]
	}
	copy(message[len(message)-len(serial):], serial)
	p.block.Encrypt(message[:size], message[:size])
	for i := range size {
		message[i] ^= message[size+i]
	}
	p.block.Encrypt(message[:size], message[:size])
	return int(binary.BigEndian.Uint64(message[:size]) % uint64(p.n))
}

// Point returns the address of a partition's list, which is in the
// cRLDistributionPoints of its certificates and in the issuingDistributionPoint of the list:
// …/crl/signature/7.crl beside the full list's …/crl/signature.crl. Where there are no
// partitions it is the full list's.
func (e Endpoints) Point(partition int) string {
	if e.Partitions == 0 {
		return e.CRL
	}
	return fmt.Sprintf("%s/%d.crl", strings.TrimSuffix(e.CRL, ".crl"), partition)
}

// pointIs compares with the addresses that certificates of these endpoints name.
func (e Endpoints) pointIs(address string) bool {
	if e.Partitions == 0 {
		return addressIs(address, e.CRL)
	}
	for n := range e.Partitions {
		if address == e.Point(n) {
			return true
		}
	}
	return false
}
