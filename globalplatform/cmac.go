package globalplatform

import (
	"crypto/aes"
	"crypto/cipher"
)

const blockSize = aes.BlockSize

// Key is a symmetric key that is used and never read. CMAC returns the sixteen
// octets of AES-CMAC (RFC 4493, SP 800-38B) over message.
type Key interface {
	CMAC(message []byte) ([]byte, error)
}

// AESKey is a Key whose octets are in memory: a session key, or a key inside an
// emulated chip. It is safe for concurrent use.
type AESKey struct {
	block  cipher.Block
	k1, k2 [blockSize]byte
}

// NewAESKey makes a Key of 16, 24 or 32 octets.
func NewAESKey(octets []byte) (*AESKey, error) {
	block, err := aes.NewCipher(octets)
	if err != nil {
		return nil, err
	}
	k := &AESKey{block: block}
	block.Encrypt(k.k1[:], k.k1[:])
	double(&k.k1)
	k.k2 = k.k1
	double(&k.k2)
	return k, nil
}

// double multiplies by x in GF(2^128) (SP 800-38B §6.1), in constant time.
func double(b *[blockSize]byte) {
	carry := b[0] >> 7
	for i := range blockSize - 1 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[blockSize-1] = b[blockSize-1]<<1 ^ 0x87&-carry
}

// CMAC implements Key; the error is always nil.
func (k *AESKey) CMAC(message []byte) ([]byte, error) { return k.mac(message), nil }

func (k *AESKey) mac(message []byte) []byte {
	x := make([]byte, blockSize)
	for len(message) > blockSize {
		xor(x, message[:blockSize])
		k.block.Encrypt(x, x)
		message = message[blockSize:]
	}
	xor(x, message)
	if len(message) == blockSize {
		xor(x, k.k1[:])
	} else {
		x[len(message)] ^= 0x80
		xor(x, k.k2[:])
	}
	k.block.Encrypt(x, x)
	return x
}

// encryptCBC and decryptCBC work in place on whole blocks (Amendment D §6.2.6, §6.2.7).
func (k *AESKey) encryptCBC(iv, data []byte) {
	cipher.NewCBCEncrypter(k.block, iv).CryptBlocks(data, data)
}

func (k *AESKey) decryptCBC(iv, data []byte) {
	cipher.NewCBCDecrypter(k.block, iv).CryptBlocks(data, data)
}

func xor(dst, src []byte) {
	for i, b := range src {
		dst[i] ^= b
	}
}
