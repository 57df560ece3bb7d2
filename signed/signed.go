package signed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
)

// The reasons why a signature is not believed.
var (
	ErrInvalid = errors.New("signed: the signature is not the key's over these octets")
	ErrKey     = errors.New("signed: neither an RSA nor a P-256 key")
	ErrIssuer  = errors.New("signed: the issuer is no authority")
)

// Digest checks a signature over a SHA-256 digest: nil when it is the key's. What
// sizes of RSA key are good enough is the caller's rule.
func Digest(key crypto.PublicKey, digest [sha256.Size]byte, signature []byte) error {
	name, err := nameOf(key)
	if err != nil {
		return err
	}
	fact := factOf(name, digest, signature)
	if remembered.has(fact) {
		return nil
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], signature) != nil {
			return ErrInvalid
		}
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(k, digest[:], signature) {
			return ErrInvalid
		}
	}
	remembered.tell(fact)
	return nil
}

// nameOf is all there is of a public key, with its kind in front.
func nameOf(key crypto.PublicKey) ([]byte, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k == nil || k.N == nil {
			return nil, ErrKey
		}
		return append(binary.BigEndian.AppendUint64([]byte("rsa"), uint64(k.E)), k.N.Bytes()...), nil
	case *ecdsa.PublicKey:
		if k == nil || k.Curve != elliptic.P256() {
			return nil, ErrKey
		}
		point, err := k.Bytes()
		if err != nil {
			return nil, ErrKey
		}
		return append([]byte("p-256"), point...), nil
	}
	return nil, ErrKey
}

// factOf names key, digest and signature together; lengths in front keep them apart.
func factOf(name []byte, digest [sha256.Size]byte, signature []byte) [32]byte {
	h := sha256.New()
	var length [4]byte
	for _, part := range [][]byte{name, digest[:], signature} {
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}

// By is x509.Certificate.CheckSignatureFrom, for SHA-256 with a check that is
// remembered: the issuer may issue, and its key signed the certificate. It looks at
// no name, no validity and no path length, as that does not.
func By(c, issuer *x509.Certificate) error {
	if issuer.Version == 3 && !issuer.BasicConstraintsValid || issuer.BasicConstraintsValid && !issuer.IsCA {
		return ErrIssuer
	}
	if issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
		return ErrIssuer
	}
	return Certificate(c, issuer.PublicKey)
}

// Certificate checks that the key signed the certificate, whoever's it is. What is not
// SHA-256 with RSA or P-256 is refused with ErrKey.
func Certificate(c *x509.Certificate, key crypto.PublicKey) error {
	switch key.(type) {
	case *rsa.PublicKey:
		if c.SignatureAlgorithm != x509.SHA256WithRSA {
			return ErrKey
		}
	case *ecdsa.PublicKey:
		if c.SignatureAlgorithm != x509.ECDSAWithSHA256 {
			return ErrKey
		}
	}
	return Digest(key, sha256.Sum256(c.RawTBSCertificate), c.Signature)
}
