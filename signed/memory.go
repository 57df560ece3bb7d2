package signed

import (
	"cmp"
	"sync"
)

// memory remembers the last facts it was told: at least half and at most all of
// capacity of them, those asked for again being kept longest.
type memory struct {
	mu           sync.Mutex
	capacity     int
	young, older map[[32]byte]struct{}
}

// Facts are digests of what was found to hold and holds for ever, such as that some
// octets are of a profile. The last thousand or two are kept. The zero value is ready,
// also for several goroutines; it must not be copied.
type Facts struct{ m memory }

const factsKept = 2048

// Has reports whether the fact was told.
func (f *Facts) Has(fact [32]byte) bool { return f.m.has(fact) }

// Tell remembers a fact.
func (f *Facts) Tell(fact [32]byte) { f.m.tell(fact) }

// remembered is shared by everybody in the process.
var remembered = &memory{capacity: 32768}

// has reports a fact that was told.
func (m *memory) has(fact [32]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.young[fact]; ok {
		return true
	}
	if _, ok := m.older[fact]; ok {
		m.add(fact)
		return true
	}
	return false
}

// tell remembers a fact.
func (m *memory) tell(fact [32]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(fact)
}

func (m *memory) add(fact [32]byte) {
	if m.young == nil || len(m.young) >= cmp.Or(m.capacity, factsKept)/2 {
		m.young, m.older = map[[32]byte]struct{}{}, m.young
	}
	m.young[fact] = struct{}{}
}
