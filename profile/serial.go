package profile

import (
	"crypto/cipher"
	"encoding/binary"

	"warifu"
)

// SerialLength is the length of a phone certificate's serial number in octets.
const SerialLength = 17

// SerialCipher makes the serial numbers of one authority (design §3.5): key id (1 octet,
// 01–7F) ‖ AES-128(index ‖ zero padding). From outside they are random; who holds
// the key tells its own from any other without a database, and reads off the index.
type SerialCipher struct {
	id    byte
	block cipher.Block
}

// NewSerialCipher takes the key's number and the AES block cipher under it. Error:
// Invalid "serial-key-malformed".
func NewSerialCipher(id byte, block cipher.Block) (SerialCipher, error) {
	if id < 0x01 || id > 0x7f || block == nil || block.BlockSize() != SerialLength-1 {
		return SerialCipher{}, warifu.Invalid("serial-key-malformed")
	}
	return SerialCipher{id, block}, nil
}

// IsZero reports whether c was never made.
func (c SerialCipher) IsZero() bool { return c.block == nil }

// Serial returns the serial number of an index, big-endian.
func (c SerialCipher) Serial(index uint64) []byte {
	out := make([]byte, SerialLength)
	out[0] = c.id
	binary.BigEndian.PutUint64(out[1:], index)
	c.block.Encrypt(out[1:], out[1:])
	return out
}

// Index is the inverse of Serial; false for a serial number this cipher never made,
// but for one in 2⁶⁴ made up by chance.
func (c SerialCipher) Index(serial []byte) (uint64, bool) {
	if len(serial) != SerialLength || serial[0] != c.id {
		return 0, false
	}
	var plain [SerialLength - 1]byte
	c.block.Decrypt(plain[:], serial[1:])
	if binary.BigEndian.Uint64(plain[8:]) != 0 {
		return 0, false
	}
	return binary.BigEndian.Uint64(plain[:8]), true
}

// Check reports whether this cipher made the serial number.
func (c SerialCipher) Check(serial []byte) bool {
	_, ok := c.Index(serial)
	return ok
}
