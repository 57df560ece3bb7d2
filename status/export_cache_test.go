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

// Whole counts answers that are kept whole, those forgotten included.
func (c *Cache) Whole() (n int) {
	for i := range c.shapes.numbered {
		if p := c.shapes.numbered[i].Load(); p != nil && p.text == nil {
			n += p.records
		}
	}
	return n
}

// Shapes counts the shapes that there are.
func (c *Cache) Shapes() (n int) {
	for i := range c.shapes.numbered {
		if c.shapes.numbered[i].Load() != nil {
			n++
		}
	}
	return n
}

// Records is what the records take, in octets, in a cache that was never full.
func (c *Cache) Records() (n int) {
	for i := range c.shards {
		n += c.shards[i].next
	}
	return n
}

// Second is putSecond.
func Second(second int64) string {
	b := make([]byte, timeText)
	putSecond(b, second)
	return string(b)
}

// HTTPDate is appendHTTPDate.
func HTTPDate(second int64) string { return string(appendHTTPDate([]byte("x"), second)[1:]) }
