package chip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
)

// Memory is a chip's non-volatile memory. Save is durable when it returns nil; a chip
// calls it before the answer that tells of the change, so that no cut of the power
// gives a try back. Load returns what was saved last, or nothing on a new chip.
// The octets hold PINs and private keys: whoever keeps them keeps them sealed.
type Memory interface {
	Load() ([]byte, error)
	Save(state []byte) error
}

// Volatile is a Memory that lives as long as the process: for tests, tours and chips
// that nobody will meet again. The zero value is empty and ready.
type Volatile struct {
	mu    sync.Mutex
	state []byte
}

// Load implements Memory.
func (v *Volatile) Load() ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return bytes.Clone(v.state), nil
}

// Save implements Memory.
func (v *Volatile) Save(state []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state = bytes.Clone(state)
	return nil
}

// load reads what memory holds into state; false means a new chip.
func load(m Memory, state any) (bool, error) {
	b, err := m.Load()
	if err != nil {
		return false, fmt.Errorf("chip memory: %w", err)
	}
	if len(b) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(b, state); err != nil {
		return false, fmt.Errorf("chip memory: %w", err)
	}
	return true, nil
}

// store writes state to memory.
func store(m Memory, state any) error {
	b, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("chip memory: %w", err)
	}
	return m.Save(b)
}
