package ocsp

import (
	"crypto/sha256"
	"sync"
)

// Answers parses responses and remembers the last few: a response may speak of many
// certificates, and is then read once and not once for each. What was remembered is
// shared, and must not be changed; it is to be verified each time, as anything parsed.
// The zero value is ready, also for several goroutines.
type Answers struct {
	mu   sync.Mutex
	last [answersKept]*Response
	name [answersKept][sha256.Size]byte
	next int
}

// answersKept is how many are remembered: more than one batch of work asks for.
const answersKept = 16

// Parse is ParseResponse.
func (a *Answers) Parse(der []byte) (*Response, error) {
	name := sha256.Sum256(der)
	if r := a.find(name); r != nil {
		return r, nil
	}
	r, err := ParseResponse(der)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last[a.next], a.name[a.next] = r, name
	a.next = (a.next + 1) % answersKept
	return r, nil
}

func (a *Answers) find(name [sha256.Size]byte) *Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, r := range a.last {
		if r != nil && a.name[i] == name {
			return r
		}
	}
	return nil
}
