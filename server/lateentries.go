package server

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"sync"

	"warifu"
	"warifu/keystore"
)

// lateEntries keeps ledger entries in a file while the database is away: a line for each, sealed
// under the key-encryption key, on the disk when Put returns. It implements
// verification.Spool.
type lateEntries struct {
	file string
	seal *keystore.SymmetricKey

	mu sync.Mutex
}

// spoolLabel binds what is sealed to where it lies.
const spoolLabel = "warifu-late-entries-v1"

// maxSpool bounds the file, in octets: some hundred thousand entries.
const maxSpool = 256 << 20

// Put implements verification.Spool. TooLarge "spool-full" once the file has its measure:
// questions are refused then rather than answered behind a holder's back.
func (s *lateEntries) Put(entry []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed, err := s.seal.Seal(entry, []byte(spoolLabel))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > maxSpool {
		err = warifu.TooLarge("spool-full")
	}
	if err == nil {
		_, err = f.WriteString(base64.StdEncoding.EncodeToString(sealed) + "\n")
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// Take implements verification.Spool. A line that a power cut left half written is passed
// over: nobody was answered for it. After a crash within Take an entry may be handed in twice.
func (s *lateEntries) Take(f func([]byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	left := b
	for len(left) > 0 {
		line, rest, _ := bytes.Cut(left, []byte("\n"))
		if entry, ok := s.open(line); ok {
			if err = f(entry); err != nil {
				break
			}
		}
		left = rest
	}
	switch {
	case len(left) == 0:
		return errors.Join(err, os.Remove(s.file))
	case len(left) < len(b):
		return errors.Join(err, writeWhole(s.file, left))
	}
	return err
}

func (s *lateEntries) open(line []byte) ([]byte, bool) {
	sealed, err := base64.StdEncoding.DecodeString(string(line))
	if err != nil {
		return nil, false
	}
	entry, err := s.seal.Open(sealed, []byte(spoolLabel))
	return entry, err == nil
}
