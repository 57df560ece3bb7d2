package keystore

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io/fs"
	"sort"
	"strings"
	"sync"

	"warifu"
)

// The algorithms of private keys; profile.Algorithm has the same words.
const (
	RSA2048 = "rsa-2048"
	P256    = "p-256"
)

// shelf is where sealed files lie: a folder, or memory. get and list answer
// fs.ErrNotExist for what is not there; put never replaces (fs.ErrExist).
type shelf interface {
	get(file string) ([]byte, error)
	put(file string, octets []byte) error
	list() ([]string, error)
}

// Store is an open set of keys. It is safe for concurrent use.
type Store struct {
	shelf shelf
	aead  cipher.AEAD

	mu      sync.Mutex
	signers map[string]crypto.Signer
	secrets map[string]*SymmetricKey
}

func newStore(s shelf, key []byte) (*Store, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Store{shelf: s, aead: aead, signers: map[string]crypto.Signer{}, secrets: map[string]*SymmetricKey{}}, nil
}

// Memory returns an empty Store that lives in memory only, for tests and throw-away worlds.
func Memory() (*Store, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return newStore(&memoryShelf{files: map[string][]byte{}}, key)
}

// Names lists the names of all keys in order.
func (s *Store) Names() ([]string, error) {
	files, err := s.shelf.list()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		if name, ok := strings.CutSuffix(f, fileSuffix); ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// Has reports whether there is a key of that name.
func (s *Store) Has(name string) (bool, error) {
	if err := checkName(name); err != nil {
		return false, err
	}
	_, err := s.shelf.get(name + fileSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// String never shows a key.
func (s *Store) String() string { return "[keystore]" }

// GoString never shows a key.
func (s *Store) GoString() string { return "[keystore]" }

const (
	fileSuffix = ".key"
	maxName    = 64
)

// checkName allows lower-case letters, digits and hyphens, so that a name is a file
// name on every system and never a path.
func checkName(name string) error {
	ok := name != "" && len(name) <= maxName && name[0] != '-' && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	if !ok {
		return warifu.Invalid("key-name-malformed")
	}
	return nil
}

// A sealed file is magic ‖ purpose (1 octet) ‖ nonce ‖ AES-256-GCM(octets), with
// magic, purpose and name as additional data.
const magic = "WKEY1"

type purpose byte

const (
	purposeSigner    purpose = 'S'
	purposeSymmetric purpose = 'K'
	purposeProbe     purpose = 'P'
)

func additional(name string, p purpose) []byte { return append([]byte(magic+string(rune(p))), name...) }

func (s *Store) seal(name string, p purpose, octets []byte) []byte {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	out := append([]byte(magic), byte(p))
	return s.aead.Seal(append(out, nonce...), nonce, octets, additional(name, p))
}

func (s *Store) open(name string, p purpose, file []byte) ([]byte, error) {
	head := len(magic) + 1
	if len(file) < head+s.aead.NonceSize() || string(file[:len(magic)]) != magic {
		return nil, warifu.Refused("key-damaged", "key", name)
	}
	if purpose(file[len(magic)]) != p {
		return nil, warifu.Refused("key-of-other-purpose", "key", name)
	}
	nonce, sealed := file[head:head+s.aead.NonceSize()], file[head+s.aead.NonceSize():]
	octets, err := s.aead.Open(nil, nonce, sealed, additional(name, p))
	if err != nil {
		return nil, warifu.Refused("key-damaged", "key", name)
	}
	return octets, nil
}

// load reads and opens the file of a key.
func (s *Store) load(name string, p purpose) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	file, err := s.shelf.get(name + fileSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, warifu.NotFound("key-unknown", "key", name)
	}
	if err != nil {
		return nil, err
	}
	return s.open(name, p, file)
}

// save seals and writes the file of a new key; a name is never used twice.
func (s *Store) save(name string, p purpose, octets []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	err := s.shelf.put(name+fileSuffix, s.seal(name, p, octets))
	if errors.Is(err, fs.ErrExist) {
		return warifu.Conflict("key-exists", "key", name)
	}
	return err
}
