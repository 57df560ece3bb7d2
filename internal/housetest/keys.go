package housetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"sync"

	"warifu/jpki"
)

// ring is the RSA keys of a test binary. Making one takes a tenth of a second, so
// houses share them; within one house none is handed out twice.
var ring struct {
	mu   sync.Mutex
	keys []*rsa.PrivateKey
}

func rsaKey(n int) (*rsa.PrivateKey, error) {
	ring.mu.Lock()
	defer ring.mu.Unlock()
	for len(ring.keys) <= n {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, k)
	}
	return ring.keys[n], nil
}

// keySource hands a house its keys.
type keySource struct {
	mu   sync.Mutex
	next int
}

func (s *keySource) rsa() (*rsa.PrivateKey, error) {
	s.mu.Lock()
	n := s.next
	s.next++
	s.mu.Unlock()
	return rsaKey(n)
}

// element makes key pairs inside secure elements.
func (s *keySource) element(a jpki.Algorithm) (crypto.Signer, error) {
	if a == jpki.P256 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return s.rsa()
}

// RSAKeys hands out the test binary's RSA keys, each once, for parties that a test puts
// together by itself.
func RSAKeys() func() (*rsa.PrivateKey, error) { return (&keySource{}).rsa }
