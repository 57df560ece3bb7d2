package server

import (
	"os"

	"warifu/crl"
)

// roomInMemory is how large a list may become before it goes to a file.
const roomInMemory = 1 << 20

// room is the place of one revocation list: memory while it is small, and otherwise a file in
// the folder for temporary files. The file has no name any more once it is open, so that
// nothing stays behind when the process dies, and it is given back when the list is
// served no longer and has been collected. Where no such file can be had (no folder,
// or a system that does not part a file from its name) the list stays in memory.
type room struct {
	crl.Memory
	file   *os.File
	failed bool
}

func newRoom() crl.Spool { return new(room) }

// WriteAt implements io.WriterAt.
func (s *room) WriteAt(b []byte, at int64) (int, error) {
	if s.file == nil && !s.failed && at+int64(len(b)) > roomInMemory {
		s.move()
	}
	if s.file != nil {
		return s.file.WriteAt(b, at)
	}
	return s.Memory.WriteAt(b, at)
}

// ReadAt implements io.ReaderAt.
func (s *room) ReadAt(b []byte, at int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(b, at)
	}
	return s.Memory.ReadAt(b, at)
}

// move puts what there is into a file.
func (s *room) move() {
	f, err := os.CreateTemp("", "warifu-list-*")
	if err != nil {
		s.failed = true
		return
	}
	held := make([]byte, roomInMemory)
	n, _ := s.Memory.ReadAt(held, 0) // ends early, and never fails
	_, err = f.WriteAt(held[:n], 0)
	if removed := os.Remove(f.Name()); err != nil || removed != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		s.failed = true
		return
	}
	s.file, s.Memory = f, crl.Memory{}
}
