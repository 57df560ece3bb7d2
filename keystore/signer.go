package keystore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"

	"warifu"
)

// signer hides a private key behind crypto.Signer, so that no type assertion and no
// formatter reaches it.
type signer struct{ key crypto.Signer }

// Public implements crypto.Signer.
func (s signer) Public() crypto.PublicKey { return s.key.Public() }

// Sign implements crypto.Signer: PKCS#1 v1.5 for RSA, ASN.1 form for ECDSA.
func (s signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, pss := opts.(*rsa.PSSOptions); pss || opts.HashFunc() != crypto.SHA256 {
		return nil, warifu.Invalid("key-algorithm-unsupported")
	}
	return s.key.Sign(random, digest, opts)
}

// Format never shows a key.
func (s signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key]") }

// Generate makes a private key under a new name and returns its signer. Errors:
// Conflict "key-exists", Invalid "key-name-malformed", "key-algorithm-unsupported".
func (s *Store) Generate(name, algorithm string) (crypto.Signer, error) {
	var key crypto.Signer
	var err error
	switch algorithm {
	case RSA2048:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case P256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		return nil, warifu.Invalid("key-algorithm-unsupported")
	}
	if err != nil {
		return nil, err
	}
	octets, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	defer clear(octets)
	if err := s.save(name, purposeSigner, octets); err != nil {
		return nil, err
	}
	return s.Signer(name)
}

// Signer returns the private key of that name as a crypto.Signer that signs SHA-256
// digests. Errors: NotFound "key-unknown", Refused "key-damaged", "key-of-other-purpose".
func (s *Store) Signer(name string) (crypto.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.signers[name]; ok {
		return k, nil
	}
	octets, err := s.load(name, purposeSigner)
	if err != nil {
		return nil, err
	}
	defer clear(octets)
	parsed, err := x509.ParsePKCS8PrivateKey(octets)
	if err != nil {
		return nil, warifu.Refused("key-damaged", "key", name)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, warifu.Refused("key-damaged", "key", name)
	}
	s.signers[name] = signer{key}
	return s.signers[name], nil
}
