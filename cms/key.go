package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"

	"warifu"
	"warifu/signed"
)

// The RSA moduli accepted, in bits: below the first a signature proves nothing,
// above the second checking it costs more than a stranger may ask for.
const (
	minRSABits = 2048
	maxRSABits = 4096
)

// signatureAlgorithm returns the algorithm that a key signs SHA-256 with, and
// whether the key is one that this package signs and verifies with.
func signatureAlgorithm(key crypto.PublicKey) (asn1.ObjectIdentifier, bool) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		return oidRSAEncryption, bits >= minRSABits && bits <= maxRSABits
	case *ecdsa.PublicKey:
		return oidECDSAWithSHA256, k.Curve == elliptic.P256()
	}
	return nil, false
}

// Supports reports whether this package signs and verifies with keys like that.
func Supports(key crypto.PublicKey) bool {
	_, ok := signatureAlgorithm(key)
	return ok
}

// CheckSignature checks a signature over a SHA-256 digest: PKCS#1 v1.5 for an RSA
// key of 2048 to 4096 bits, an ASN.1 ECDSA-Sig-Value for a P-256 key. Errors: Refused
// "signature-key-unsupported", Refused "signature-invalid".
func CheckSignature(key crypto.PublicKey, digest [sha256.Size]byte, signature []byte) error {
	if _, ok := signatureAlgorithm(key); !ok {
		return warifu.Refused("signature-key-unsupported")
	}
	if err := signed.Digest(key, digest, signature); err != nil {
		return warifu.Refused("signature-invalid").With(err)
	}
	return nil
}
