package signed

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"sync"
)

// Read reads octets and remembers what they say: what they decode to is, like a
// signature over them, a fact without a time, and one application's papers are read by
// the registration authority and by both certification authorities. Only what could be
// read is kept, under the SHA-256 value of the octets; at least half and at most all of
// readKept of them. What is returned is shared by everybody and must not be changed; it
// is to be checked each time, like anything read. Make it with NewRead.
type Read[T any] struct {
	parse func(der []byte) (T, error)

	mu           sync.Mutex
	young, older map[[sha256.Size]byte]T
}

// readKept is how many readings are remembered: more than are between acceptance and
// issuance at one time while nothing waits, and few enough to take some megabytes.
const readKept = 512

// NewRead makes a Read of a function of the octets and of nothing else.
func NewRead[T any](parse func(der []byte) (T, error)) *Read[T] { return &Read[T]{parse: parse} }

// Of is the function's answer for the octets.
func (r *Read[T]) Of(der []byte) (T, error) {
	name := sha256.Sum256(der)
	if v, ok := r.find(name); ok {
		return v, nil
	}
	v, err := r.parse(der)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.add(name, v)
	}
	return v, err
}

func (r *Read[T]) find(name [sha256.Size]byte) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.young[name]; ok {
		return v, true
	}
	v, ok := r.older[name]
	if ok {
		r.add(name, v)
	}
	return v, ok
}

func (r *Read[T]) add(name [sha256.Size]byte, v T) {
	if r.young == nil || len(r.young) >= readKept/2 {
		r.young, r.older = make(map[[sha256.Size]byte]T, readKept/2), r.young
	}
	r.young[name] = v
}

var certificates = NewRead(func(der []byte) (*x509.Certificate, error) {
	return x509.ParseCertificate(bytes.Clone(der)) // a certificate points into its octets
})

// Parsed is x509.ParseCertificate, remembered: the certificate is shared and must not
// be changed.
func Parsed(der []byte) (*x509.Certificate, error) { return certificates.Of(der) }
