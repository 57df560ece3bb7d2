package keystore

import (
	"crypto/cipher"
	"crypto/subtle"
)

// cmac is AES-CMAC, RFC 4493 §2.4.
func cmac(block cipher.Block, message []byte) []byte {
	const size = 16
	var zero, k1, k2, last, x [size]byte
	block.Encrypt(k1[:], zero[:])
	double(&k1)
	k2 = k1
	double(&k2)
	full := max(0, (len(message)-1)/size)
	for i := range full {
		subtle.XORBytes(x[:], x[:], message[i*size:(i+1)*size])
		block.Encrypt(x[:], x[:])
	}
	rest := message[full*size:]
	copy(last[:], rest)
	subkey := &k1
	if len(rest) < size {
		last[len(rest)] = 0x80
		subkey = &k2
	}
	subtle.XORBytes(last[:], last[:], subkey[:])
	subtle.XORBytes(x[:], x[:], last[:])
	block.Encrypt(x[:], x[:])
	return x[:]
}

// double multiplies by x in GF(2^128), RFC 4493 §2.3.
func double(k *[16]byte) {
	carry := k[0] >> 7
	for i := range 15 {
		k[i] = k[i]<<1 | k[i+1]>>7
	}
	k[15] = k[15]<<1 ^ carry*0x87
}
