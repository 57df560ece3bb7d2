package provision

import (
	"bytes"
	"crypto/x509"

	"warifu"
)

// publicKeyOf returns the digest of the key a certificate is over, as the chip names keys.
func publicKeyOf(der []byte) (warifu.Digest, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return warifu.Digest{}, warifu.Invalid("certificate-malformed").With(err)
	}
	return warifu.DigestOf(c.RawSubjectPublicKeyInfo), nil
}

// beginP256 is how the SubjectPublicKeyInfo of every P-256 key begins: ecPublicKey, prime256v1,
// and an uncompressed point (RFC 5480 §2).
var beginP256 = []byte{
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
	0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
}

// ticketKey reports whether spki is a P-256 public key, the only sort that signs papers.
func ticketKey(spki []byte) bool {
	_, err := x509.ParsePKIXPublicKey(spki)
	return err == nil && bytes.HasPrefix(spki, beginP256)
}
