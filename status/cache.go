package status

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"warifu"
	"warifu/ocsp"
)

// Cache keeps signed answers about single certificates, within a bound in octets: the
// oldest make room for new ones. It saves the signature and nothing else. A responder that has one asks its
// source for every answer all the same, and hands out a kept one only while the source says what is in
// it; so no answer outlives what it says, however late Invalidate is called.
//
// Answers are kept by kind, serial number and the exact form of the CertID, which an answer
// repeats. One cache may serve both authorities.
type Cache struct {
	// Keep is the age at which an answer is signed anew: MaxAge unless changed before
	// use, so that whoever comes back when max-age is over finds a newer one (RFC 9919 §6.1). It is
	// to be less than the answers' life by MaxAge at least.
	Keep time.Duration

	shards [cacheShards]cacheShard
	shapes shapes
}

const (
	// DefaultCache is the bound of a cache that nobody said anything about, in octets: up to
	// four hundred thousand answers signed with ECDSA, half as many with RSA.
	DefaultCache = 64 << 20

	cacheShards = 64
	// cacheIndex is what an answer costs in the index, in octets, at most: while the table
	// doubles, the old half stands beside the new one.
	cacheIndex = 24
)

// cacheKey is what an answer is kept by: kind, form, length of the serial number and
// the serial number.
type cacheKey [3 + maxSerial]byte

func keyOf(kind warifu.Kind, form ocsp.Form, serial []byte) (k cacheKey) {
	k[0], k[1], k[2] = byte(kind), byte(form), byte(len(serial))
	copy(k[3:], serial)
	return k
}

func (k *cacheKey) kind() warifu.Kind { return warifu.Kind(k[0]) }
func (k *cacheKey) serial() []byte    { return k[3 : 3+k[2]] }

// hash mixes the serial number and the form. Serial numbers are drawn by a cipher, and of
// those that nobody drew no answer is kept, so nobody can choose where an answer lies.
func (k *cacheKey) hash() uint64 {
	h := binary.LittleEndian.Uint64(k[3:]) ^ binary.LittleEndian.Uint64(k[11:])*0x9E3779B97F4A7C15 ^ uint64(binary.LittleEndian.Uint32(k[19:]))<<17 ^ uint64(k[1])<<50
	return h * 0xFF51AFD7ED558CCD
}

// home is where in its shard's table the key wants to stand, before the mask, and seal is what
// stands there beside the record's place, so that hardly ever another's record is read.
func home(hash uint64) uint32 { return uint32(hash >> 38) } //nolint:gosec // 26 bits
func seal(hash uint64) uint32 { return uint32(hash>>24&0xFF) << 24 }

// kept is a signed answer without what all answers of one responder end with, its certificate.
type kept struct {
	status     warifu.Status
	archive    bool
	thisUpdate time.Time
	signer     uint64 // which appointment signed it
	tag        [32]byte
	head       []byte
}

// NewCache makes a cache that takes up to that many octets of memory.
func NewCache(octets int) *Cache {
	octets = max(0, octets)
	c := &Cache{Keep: MaxAge}
	c.shapes.numbered = make([]atomic.Pointer[shape], min(mostShapes, octets/32/shapeOctets))
	c.shapes.alike = map[shapeKey][]uint16{}
	for i := range c.shards { // a sixteenth is for what memory is rounded up to, half as much for shapes
		c.shards[i] = cacheShard{limit: min(octets/cacheShards/32*29, cacheUnit*(1<<24-2)), shapes: &c.shapes, flights: map[cacheKey]*flight{}}
	}
	return c
}

func (c *Cache) shard(k *cacheKey) *cacheShard { return &c.shards[k.hash()>>32%cacheShards] }

// Invalidate forgets the answers about one certificate, or with a serial of nil about
// all of the kind's. It is what Set.OnChange is for.
func (c *Cache) Invalidate(kind warifu.Kind, serial []byte) {
	if serial == nil {
		for i := range c.shards {
			c.shards[i].forget(kind)
		}
		return
	}
	if len(serial) > maxSerial {
		return
	}
	for form := range ocsp.Form(ocsp.NumForms) {
		k := keyOf(kind, form, serial)
		s := c.shard(&k)
		s.mu.Lock()
		if s.known > 0 {
			if slot, found := s.slot(&k); found {
				s.clear(slot)
			}
		}
		s.mu.Unlock()
	}
}

// forget forgets all of a kind.
func (s *cacheShard) forget(kind warifu.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table
	s.table, s.known = make([]uint32, len(old)), 0
	for _, at := range old {
		if at != 0 {
			if k := s.keyAt(place(at)); k.kind() != kind {
				s.stand(at, k.hash())
				s.known++
			}
		}
	}
}

// Len returns how many answers are kept.
func (c *Cache) Len() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += s.known
		s.mu.Unlock()
	}
	return n
}
