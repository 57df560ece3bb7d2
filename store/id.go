package store

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"

	"warifu"
)

// idMaker makes identifiers: eight octets of microseconds, never the same or
// smaller twice in one process even when the clock stands still, and eight
// random ones.
type idMaker struct {
	clock warifu.Clock
	mu    sync.Mutex
	last  uint64
}

func (m *idMaker) next() string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], m.tick())
	_, _ = rand.Read(id[8:]) // never fails (crypto/rand)
	return hex.EncodeToString(id[:])
}

func (m *idMaker) tick() uint64 {
	now := uint64(max(0, m.clock.Now().UnixMicro()))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = max(now, m.last+1)
	return m.last
}
