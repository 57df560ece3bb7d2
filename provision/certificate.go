package provision

import (
	"crypto/ecdsa"
	"crypto/elliptic"
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

// ticketKey reports whether spki is a P-256 public key, the only sort that signs papers.
func ticketKey(spki []byte) bool {
	key, err := x509.ParsePKIXPublicKey(spki)
	p256, ok := key.(*ecdsa.PublicKey)
	return err == nil && ok && p256.Curve == elliptic.P256()
}
