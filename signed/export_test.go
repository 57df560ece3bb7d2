package signed

// Memory is memory for tests.
type Memory struct{ m memory }

// NewMemory makes one of the capacity.
func NewMemory(capacity int) *Memory { return &Memory{memory{capacity: capacity}} }

// Has and Tell are has and tell.
func (m *Memory) Has(fact [32]byte) bool { return m.m.has(fact) }

// Tell is tell.
func (m *Memory) Tell(fact [32]byte) { m.m.tell(fact) }

// Len counts what is held.
func (m *Memory) Len() int { return len(m.m.young) + len(m.m.older) }
