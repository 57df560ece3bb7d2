package status

import (
	"time"

	"warifu"
)

// Put keeps an answer in the first form.
func (c *Cache) Put(kind warifu.Kind, serial []byte, s warifu.Status, at time.Time, head []byte) {
	k := keyOf(kind, 0, serial)
	c.shard(&k).put(k, kept{status: s, thisUpdate: at, head: head})
}

// Get returns a kept answer in the first form.
func (c *Cache) Get(kind warifu.Kind, serial []byte) ([]byte, bool) {
	k := keyOf(kind, 0, serial)
	s := c.shard(&k)
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.find(k, nil)
	return a.head, ok
}
