package signed

import "sync"

// memory remembers the last facts it was told: at least half and at most all of
// capacity of them, those asked for again being kept longest.
type memory struct {
	mu           sync.Mutex
	capacity     int
	young, older map[[32]byte]struct{}
}

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
	if m.young == nil || len(m.young) >= m.capacity/2 {
		m.young, m.older = map[[32]byte]struct{}{}, m.young
	}
	m.young[fact] = struct{}{}
}
