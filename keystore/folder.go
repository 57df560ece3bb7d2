package keystore

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/argon2"

	"warifu"
)

// header is keystore.json: how the passphrase becomes the folder's key. The probe is a
// sealed constant that tells a wrong passphrase from a damaged file.
type header struct {
	Version int    `json:"version"`
	KDF     string `json:"kdf"` // "argon2id"
	Time    uint32 `json:"time"`
	Memory  uint32 `json:"memoryKiB"`
	Threads uint8  `json:"threads"`
	Salt    []byte `json:"salt"`
	Probe   []byte `json:"probe"`
}

const (
	headerFile = "keystore.json"
	probeName  = "probe"
	maxFile    = 64 << 10
)

// Costs of Argon2id for new folders: RFC 9106 §4's second recommendation. Those of an
// existing folder are bounded, since a folder can come from elsewhere.
const (
	newTime, newMemory, newThreads = 3, 64 << 10, 4
	maxTime, maxMemory, maxThreads = 16, 1 << 20, 16
)

// Least costs, for a passphrase of which none can be tried that would fit.
const (
	minTime, minMemory, minThreads = 1, 8 << 10, 1
	drawnLength                    = 26 // characters: what crypto/rand.Text draws, 130 bits
)

// deriving bounds how many Argon2id runs, 64 MiB each, go on at once.
var deriving sync.Mutex

// Open opens the folder's keys with the passphrase, making the folder where there is
// none. It runs Argon2id once, about a quarter of a second and 64 MiB. Errors:
// Unauthenticated "keystore-passphrase-wrong", Invalid "keystore-passphrase-missing",
// Refused "keystore-damaged".
func Open(dir string, passphrase []byte) (*Store, error) {
	return open(dir, passphrase, header{Time: newTime, Memory: newMemory, Threads: newThreads})
}

// OpenDrawn is Open for a passphrase that was drawn at random, as a sandbox's is: where it is
// of 26 characters or more, a new folder asks for the least of Argon2id, since hashing for long
// only slows down whoever guesses. Open opens such a folder too.
func OpenDrawn(dir string, passphrase []byte) (*Store, error) {
	if len(passphrase) < drawnLength {
		return Open(dir, passphrase)
	}
	return open(dir, passphrase, header{Time: minTime, Memory: minMemory, Threads: minThreads})
}

// open opens a folder; fresh has the costs of a new one.
func open(dir string, passphrase []byte, fresh header) (*Store, error) {
	if len(passphrase) == 0 {
		return nil, warifu.Invalid("keystore-passphrase-missing")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	shelf := folder(dir)
	raw, err := shelf.get(headerFile)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh.create(shelf, passphrase)
	}
	if err != nil {
		return nil, err
	}
	var h header
	if err := json.Unmarshal(raw, &h); err != nil || !h.sound() {
		return nil, warifu.Refused("keystore-damaged")
	}
	return h.open(shelf, passphrase)
}

func (h header) sound() bool {
	return h.Version == 1 && h.KDF == "argon2id" && len(h.Salt) >= 16 && len(h.Salt) <= 64 &&
		h.Time >= minTime && h.Time <= maxTime && h.Memory >= minMemory && h.Memory <= maxMemory && h.Threads >= minThreads && h.Threads <= maxThreads
}

func (h header) store(shelf shelf, passphrase []byte) (*Store, error) {
	deriving.Lock()
	defer deriving.Unlock()
	key := argon2.IDKey(passphrase, h.Salt, h.Time, h.Memory, h.Threads, 32)
	defer clear(key)
	return newStore(shelf, key)
}

func (h header) open(shelf shelf, passphrase []byte) (*Store, error) {
	s, err := h.store(shelf, passphrase)
	if err != nil {
		return nil, err
	}
	if _, err := s.open(probeName, purposeProbe, h.Probe); err != nil {
		return nil, warifu.Unauthenticated("keystore-passphrase-wrong")
	}
	return s, nil
}

func (h header) create(shelf shelf, passphrase []byte) (*Store, error) {
	if files, err := shelf.list(); err != nil || len(files) > 0 {
		return nil, warifu.Refused("keystore-damaged") // keys without their header: never write a new one over it
	}
	h.Version, h.KDF, h.Salt = 1, "argon2id", make([]byte, 16)
	_, _ = rand.Read(h.Salt) // never fails (crypto/rand)
	s, err := h.store(shelf, passphrase)
	if err != nil {
		return nil, err
	}
	h.Probe = s.seal(probeName, purposeProbe, nil)
	raw, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := shelf.put(headerFile, raw); err != nil {
		return nil, err
	}
	return s, nil
}

// folder is a shelf on disk: files 0600 in a folder 0700.
type folder string

func (d folder) get(file string) ([]byte, error) {
	path := filepath.Join(string(d), file)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, warifu.Refused("keystore-damaged")
	}
	return os.ReadFile(path)
}

func (d folder) list() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == fileSuffix && e.Type().IsRegular() {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// put writes a temporary file, flushes it and links it to its name, which fails where
// the name exists; then it flushes the folder.
func (d folder) put(file string, octets []byte) error {
	temporary, err := os.CreateTemp(string(d), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(octets)
	if err == nil {
		err = temporary.Sync()
	}
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Link(temporary.Name(), filepath.Join(string(d), file))
	}
	if err != nil {
		return err
	}
	return d.flush()
}

// memoryShelf is a shelf without a disk.
type memoryShelf struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (m *memoryShelf) get(file string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.files[file]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return b, nil
}

func (m *memoryShelf) put(file string, octets []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.files[file]; ok {
		return fs.ErrExist
	}
	m.files[file] = octets
	return nil
}

func (m *memoryShelf) list() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for f := range m.files {
		out = append(out, f)
	}
	return out, nil
}
