// Package folder keeps a sandbox world in small files. A file is replaced whole or
// not at all, and is on the disk when Write returns, so that a world survives being
// killed at any moment. Names are chosen by the sandbox, never by a stranger; they
// are checked all the same.
package folder

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"warifu"
)

// Folder is one directory of a world. Several goroutines may use it, for different
// files.
type Folder struct{ dir string }

// Open makes the directory (for its owner only) where it is missing.
func Open(dir string) (Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Folder{}, err
	}
	return Folder{dir}, nil
}

// Path returns the directory, for those who keep a folder of their own inside it.
func (f Folder) Path() string { return f.dir }

// Sub opens a folder inside f.
func (f Folder) Sub(name string) (Folder, error) {
	if err := checkName(name); err != nil {
		return Folder{}, err
	}
	return Open(filepath.Join(f.dir, name))
}

// Names lists the files of f that end in suffix, sorted, without it.
func (f Folder) Names(suffix string) ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && !e.IsDir() && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, nil
}

// Read returns a file's octets, and false where there is none.
func (f Folder) Read(name string) ([]byte, bool, error) {
	if err := checkName(name); err != nil {
		return nil, false, err
	}
	b, err := os.ReadFile(filepath.Join(f.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// Write replaces a file: a temporary one is written, forced to the disk, renamed,
// and the directory forced to the disk.
func (f Folder) Write(name string, octets []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	t, err := os.CreateTemp(f.dir, "."+name+".*")
	if err != nil {
		return err
	}
	_, err = t.Write(octets)
	err = errors.Join(err, t.Sync(), t.Close())
	if err == nil {
		err = os.Rename(t.Name(), filepath.Join(f.dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return syncDir(f.dir)
}

// ReadJSON decodes a file into v, and returns false where there is none. A file that
// does not decode is Unavailable "world-damaged".
func (f Folder) ReadJSON(name string, v any) (bool, error) {
	b, there, err := f.Read(name)
	if err != nil || !there {
		return false, err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, damaged(name).With(err)
	}
	return true, nil
}

// WriteJSON replaces a file by v.
func (f Folder) WriteJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return f.Write(name, append(b, '\n'))
}

// Key returns the private key in the file (PKCS#8, PEM), made and written down the
// first time. Sandbox keys protect nothing and lie in the open.
func (f Folder) Key(name string, make func() (crypto.Signer, error)) (crypto.Signer, error) {
	b, there, err := f.Read(name)
	if err != nil {
		return nil, err
	}
	if there {
		return parseKey(name, b)
	}
	key, err := make()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, f.Write(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func parseKey(name string, b []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, damaged(name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, damaged(name).With(err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, damaged(name)
	}
	return signer, nil
}

// Memory is one file as a chip's non-volatile memory: what package chip asks of
// whoever keeps its state.
type Memory struct {
	folder Folder
	name   string
}

// Memory returns the file as a chip's memory.
func (f Folder) Memory(name string) Memory { return Memory{f, name} }

// Load returns what was saved last; nil for a chip that never ran.
func (m Memory) Load() ([]byte, error) {
	b, _, err := m.folder.Read(m.name)
	return b, err
}

// Save replaces it; when it returns nil a power cut no longer matters.
func (m Memory) Save(b []byte) error { return m.folder.Write(m.name, b) }

func damaged(name string) *warifu.Error { return warifu.Unavailable("world-damaged", "file", name) }

func checkName(name string) error {
	if name == "" || name[0] == '.' || strings.ContainsAny(name, `/\:`) || len(name) > 128 {
		return damaged(name)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // some systems refuse to sync a directory; the file itself is on the disk
	return d.Close()
}
