package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"sync"

	"warifu"
)

// SymmetricKey is an AES key one can work with and not look at.
type SymmetricKey struct {
	octets []byte
	block  cipher.Block

	macOnce sync.Once // what HMAC derives, once
	macErr  error
	macs    sync.Pool // of hash.Hash, keyed and begun: that is most of the work for a short message
}

// NewSymmetricKey makes a key of 16 or 32 octets that the caller already holds, such
// as a maker's world file; the octets are copied. Error: Invalid "key-length-unsupported".
func NewSymmetricKey(octets []byte) (*SymmetricKey, error) {
	if len(octets) != 16 && len(octets) != 32 {
		return nil, warifu.Invalid("key-length-unsupported")
	}
	k := &SymmetricKey{octets: append([]byte(nil), octets...)}
	var err error
	k.block, err = aes.NewCipher(k.octets)
	return k, err
}

// GenerateSymmetric makes a key of 128 or 256 bits under a new name.
func (s *Store) GenerateSymmetric(name string, bits int) (*SymmetricKey, error) {
	if bits != 128 && bits != 256 {
		return nil, warifu.Invalid("key-length-unsupported")
	}
	octets := make([]byte, bits/8)
	_, _ = rand.Read(octets) // never fails (crypto/rand)
	defer clear(octets)
	if err := s.ImportSymmetric(name, octets); err != nil {
		return nil, err
	}
	return s.Symmetric(name)
}

// ImportSymmetric keeps a key that came from elsewhere (a key ceremony with the
// maker of the secure elements) under a new name.
func (s *Store) ImportSymmetric(name string, octets []byte) error {
	if _, err := NewSymmetricKey(octets); err != nil {
		return err
	}
	return s.save(name, purposeSymmetric, octets)
}

// Symmetric returns the symmetric key of that name. Errors as Signer.
func (s *Store) Symmetric(name string) (*SymmetricKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.secrets[name]; ok {
		return k, nil
	}
	octets, err := s.load(name, purposeSymmetric)
	if err != nil {
		return nil, err
	}
	defer clear(octets)
	k, err := NewSymmetricKey(octets)
	if err != nil {
		return nil, warifu.Refused("key-damaged", "key", name)
	}
	s.secrets[name] = k
	return k, nil
}

// Format never shows a key, whatever the verb.
func (k *SymmetricKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[key]") }

// MarshalText never shows a key.
func (k *SymmetricKey) MarshalText() ([]byte, error) { return []byte("[key]"), nil }

// Bits is the length of the key.
func (k *SymmetricKey) Bits() int { return 8 * len(k.octets) }

// Block is the bare AES block cipher, for modes that are built on it elsewhere
// (SCP03, serial numbers).
func (k *SymmetricKey) Block() cipher.Block { return k.block }

// EncryptBlock encrypts one block of 16 octets.
func (k *SymmetricKey) EncryptBlock(in [16]byte) (out [16]byte) {
	k.block.Encrypt(out[:], in[:])
	return out
}

// DecryptBlock is the inverse of EncryptBlock.
func (k *SymmetricKey) DecryptBlock(in [16]byte) (out [16]byte) {
	k.block.Decrypt(out[:], in[:])
	return out
}

// HMAC returns HMAC-SHA-256 of the message, 32 octets. The key is one derived for
// this alone, so that no two mechanisms share a key.
func (k *SymmetricKey) HMAC(message []byte) ([]byte, error) {
	k.macOnce.Do(func() {
		var key []byte
		key, k.macErr = k.derive("warifu-hmac", nil, 256)
		k.macs.New = func() any { return hmac.New(sha256.New, key) }
	})
	if k.macErr != nil {
		return nil, k.macErr
	}
	m := k.macs.Get().(hash.Hash)
	defer k.macs.Put(m)
	m.Reset()
	m.Write(message)
	return m.Sum(nil), nil
}

// CMAC returns AES-CMAC of the message, 16 octets (SP 800-38B, RFC 4493).
func (k *SymmetricKey) CMAC(message []byte) ([]byte, error) { return cmac(k.block, message), nil }

// Seal encrypts with AES-256-GCM under a key derived for this alone and returns
// nonce ‖ sealed; aad is authenticated and not kept.
func (k *SymmetricKey) Seal(plain, aad []byte) ([]byte, error) {
	aead, err := k.sealer()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return aead.Seal(nonce, nonce, plain, aad), nil
}

// Open is the inverse of Seal; anything else than what Seal returned, with the same
// aad, is Refused "sealed-damaged".
func (k *SymmetricKey) Open(sealed, aad []byte) ([]byte, error) {
	aead, err := k.sealer()
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, warifu.Refused("sealed-damaged")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], aad)
	if err != nil {
		return nil, warifu.Refused("sealed-damaged")
	}
	return plain, nil
}

func (k *SymmetricKey) sealer() (cipher.AEAD, error) {
	key, err := k.derive("warifu-seal", nil, 256)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Index is a keyed blind index of value: HMAC under a key derived for this alone.
func (k *SymmetricKey) Index(value []byte) ([]byte, error) {
	key, err := k.derive("warifu-index", nil, 256)
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	m.Write(value)
	return m.Sum(nil), nil
}

// Derive returns the key of 128 or 256 bits that label and context select
// (SP 800-108r1 §4.1, counter mode, PRF AES-CMAC, 32-bit counter and length).
func (k *SymmetricKey) Derive(label string, context []byte, bits int) (*SymmetricKey, error) {
	octets, err := k.derive(label, context, bits)
	if err != nil {
		return nil, err
	}
	defer clear(octets)
	return NewSymmetricKey(octets)
}

func (k *SymmetricKey) derive(label string, context []byte, bits int) ([]byte, error) {
	if bits != 128 && bits != 256 {
		return nil, warifu.Invalid("key-length-unsupported")
	}
	fixed := append(append([]byte(label), 0), context...)
	fixed = binary.BigEndian.AppendUint32(fixed, uint32(bits))
	var out []byte
	for i := uint32(1); len(out) < bits/8; i++ {
		out = append(out, cmac(k.block, append(binary.BigEndian.AppendUint32(nil, i), fixed...))...)
	}
	return out[:bits/8], nil
}

// DeriveOctets is Derive for who holds the master's octets anyway and must put the
// derived key's octets somewhere: the maker of an emulated chip.
func DeriveOctets(master []byte, label string, context []byte, bits int) ([]byte, error) {
	k, err := NewSymmetricKey(master)
	if err != nil {
		return nil, err
	}
	return k.derive(label, context, bits)
}
