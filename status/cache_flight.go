package status

import "errors"

var errUnsigned = errors.New("status: nothing was signed")

// flight is the making of one answer, for which everybody else who asks meanwhile waits: a
// certificate that a nation asks about at once costs one signature.
type flight struct {
	done    chan struct{}
	made    kept
	refused error
}

// make returns a kept answer that fits, or the answer of the flight that is under way if
// that fits, or makes one by sign and keeps it. What fits says what the caller's source says: an
// answer of somebody else's flight may not, since he asked earlier.
func (c *Cache) make(k cacheKey, scratch []byte, fits func(kept) bool, sign func() (kept, error)) (kept, error) {
	s := c.shard(&k)
	s.mu.Lock()
	if a, found := s.find(k, scratch); found && fits(a) {
		s.mu.Unlock()
		return a, nil
	}
	if f := s.flights[k]; f != nil {
		s.mu.Unlock()
		<-f.done
		if f.refused == nil && fits(f.made) {
			return f.made, nil
		}
		return sign()
	}
	f := &flight{done: make(chan struct{}), refused: errUnsigned}
	s.flights[k] = f
	s.mu.Unlock()
	defer func() { // also when sign panics, or everybody would wait for ever
		s.mu.Lock()
		delete(s.flights, k)
		s.mu.Unlock()
		close(f.done)
	}()
	f.made, f.refused = sign()
	if f.refused == nil {
		s.put(k, f.made) // before the flight is over: whoever comes later finds it
	}
	return f.made, f.refused
}
