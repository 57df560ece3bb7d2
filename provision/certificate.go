package provision

import (
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
