package status

import (
	"encoding/binary"
	"sync"
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
}

const (
	// DefaultCache is the bound of a cache that nobody said anything about, in octets: some
	// hundred thousand answers.
	DefaultCache = 64 << 20

	cacheShards = 64
	// cacheIndex is what an answer costs in the index, in octets, at most: while the table
	// doubles, the old half stands beside the new one.
	cacheIndex = 24
)

// cacheKey is what an answer is kept by: kind, form, length of the serial number and
// the serial number, as it stands in a record.
type cacheKey [3 + maxSerial]byte

func keyOf(kind warifu.Kind, form ocsp.Form, serial []byte) (k cacheKey) {
	k[0], k[1], k[2] = byte(kind), byte(form), byte(len(serial))
	copy(k[3:], serial)
	return k
}

func (k *cacheKey) kind() warifu.Kind { return warifu.Kind(k[0]) }

// hash mixes the serial number and the form. Serial numbers are drawn by a cipher, and of
// those that nobody drew no answer is kept, so nobody can choose where an answer lies.
func (k *cacheKey) hash() uint32 {
	h := binary.LittleEndian.Uint64(k[3:]) ^ binary.LittleEndian.Uint64(k[11:])*0x9E3779B97F4A7C15 ^ uint64(binary.LittleEndian.Uint32(k[19:]))<<17 ^ uint64(k[1])<<50
	h *= 0xFF51AFD7ED558CCD
	return uint32(h >> 32)
}

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
	c := &Cache{Keep: MaxAge}
	for i := range c.shards { // a sixteenth is for what memory is rounded up to
		c.shards[i] = cacheShard{limit: min(max(0, octets/cacheShards/16*15), 1<<31), flights: map[cacheKey]*flight{}}
	}
	return c
}

func (c *Cache) shard(k *cacheKey) *cacheShard { return &c.shards[k.hash()%cacheShards] }

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
			if k := s.keyAt(at - 1); k.kind() != kind {
				slot, _ := s.slot(k)
				s.table[slot] = at
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

// cacheShard is a part of the cache: a ring of records, the oldest first, and where
// each is. What was forgotten stays in the ring until its turn comes.
type cacheShard struct {
	mu      sync.Mutex
	limit   int
	ring    []byte
	first   int      // the oldest record
	next    int      // where the next one goes
	end     int      // where the records end that stand behind next; 0: none do, next is behind first
	live    int      // records in the ring, forgotten ones too
	known   int      // records that were not forgotten
	table   []uint32 // where they are, one more than that; open addressing, a power of two, at most half full
	flights map[cacheKey]*flight
}

// A record: its length, its key, and what kept holds.
const (
	recordKey    = 4
	recordStatus = recordKey + len(cacheKey{})
	recordHead   = recordStatus + 1 + 1 + 8 + 1 + 8 + 8 + 32
)

func (s *cacheShard) put(k cacheKey, a kept) {
	size := recordHead + len(a.head)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.room(size) {
		return
	}
	r := s.ring[s.next : s.next+size]
	binary.BigEndian.PutUint32(r, uint32(size)) //nolint:gosec // an answer is below 64 KiB
	copy(r[recordKey:], k[:])
	p := r[recordStatus:recordStatus]
	archive := byte(0)
	if a.archive {
		archive = 1
	}
	p = append(p, byte(a.status.Cert), byte(a.status.Reason))
	p = binary.BigEndian.AppendUint64(p, uint64(unix(a.status.RevokedAt)))
	p = append(p, archive)
	p = binary.BigEndian.AppendUint64(p, uint64(a.thisUpdate.Unix())) //nolint:gosec // and back
	p = binary.BigEndian.AppendUint64(p, a.signer)
	p = append(p, a.tag[:]...)
	_ = append(p, a.head...)
	slot, found := s.slot(&k)
	s.table[slot] = uint32(s.next) + 1 //nolint:gosec // below limit
	if !found {
		s.known++
	}
	s.next += size
	s.live++
}

// get is find under the lock.
func (c *Cache) get(k cacheKey, into []byte) (kept, bool) {
	s := c.shard(&k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(k, into)
}

// find returns what is kept; its head is appended to into. The caller holds the lock.
func (s *cacheShard) find(k cacheKey, into []byte) (kept, bool) {
	if s.known == 0 {
		return kept{}, false
	}
	slot, found := s.slot(&k)
	if !found {
		return kept{}, false
	}
	r := s.ring[s.table[slot]-1:]
	r = r[:binary.BigEndian.Uint32(r)]
	p := r[recordStatus:]
	var a kept
	a.status = warifu.Status{Cert: warifu.CertStatus(p[0]), Reason: warifu.Reason(p[1]), RevokedAt: fromUnix(int64(binary.BigEndian.Uint64(p[2:])))} //nolint:gosec // as put wrote it
	a.archive = p[10] == 1
	a.thisUpdate = time.Unix(int64(binary.BigEndian.Uint64(p[11:])), 0).UTC() //nolint:gosec // as put wrote it
	a.signer = binary.BigEndian.Uint64(p[19:])
	copy(a.tag[:], p[27:])
	a.head = append(into, r[recordHead:]...)
	return a, true
}

// unix is a time's second, zero for none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromUnix(second int64) time.Time {
	if second == 0 {
		return time.Time{}
	}
	return time.Unix(second, 0).UTC()
}

// room makes room for a record at s.next: by growth up to the limit, then by going
// round, where the oldest records fall. It reports false for one that never fits.
func (s *cacheShard) room(size int) bool {
	for s.live > 0 && (s.live+1)*cacheIndex+len(s.ring) > s.limit {
		s.pop()
	}
	if 2*(s.known+1) > len(s.table) {
		s.widen()
	}
	for {
		switch {
		case s.end != 0 && s.next+size <= s.first: // between the newest and the oldest
			return true
		case s.end != 0:
			s.pop()
		case s.next+size <= len(s.ring), s.grow(size):
			return true
		case s.live == 0:
			return false
		default:
			s.end, s.next = s.next, 0
		}
	}
}

// grow makes the ring longer, while it and the index stay within the limit.
func (s *cacheShard) grow(size int) bool {
	most := s.limit
	if s.live > 0 {
		most = int(int64(s.limit) * int64(s.next) / int64(s.next+s.live*cacheIndex))
	}
	want := min(max(2*len(s.ring), s.next+size, 4096), most-cacheIndex)
	if want < s.next+size {
		return false
	}
	ring := make([]byte, want)
	copy(ring, s.ring[:s.next])
	s.ring = ring
	return true
}

// pop lets the oldest record go.
func (s *cacheShard) pop() {
	r := s.ring[s.first:]
	if slot, found := s.slot(s.keyAt(uint32(s.first))); found && int(s.table[slot])-1 == s.first { //nolint:gosec // below limit
		s.clear(slot)
	}
	s.first += int(binary.BigEndian.Uint32(r))
	s.live--
	switch {
	case s.live == 0:
		s.first, s.next, s.end = 0, 0, 0
	case s.end != 0 && s.first == s.end:
		s.first, s.end = 0, 0
	}
}

func (s *cacheShard) keyAt(at uint32) *cacheKey {
	return (*cacheKey)(s.ring[at+recordKey:])
}

// slot returns where in the table the key is, or else where it would go. The table is not
// empty and never full.
func (s *cacheShard) slot(k *cacheKey) (slot uint32, found bool) {
	mask := uint32(len(s.table) - 1) //nolint:gosec // below limit
	for slot = k.hash() / cacheShards & mask; ; slot = (slot + 1) & mask {
		switch at := s.table[slot]; {
		case at == 0:
			return slot, false
		case *s.keyAt(at - 1) == *k:
			return slot, true
		}
	}
}

// clear empties a slot and moves up what had gone past it.
func (s *cacheShard) clear(slot uint32) {
	s.known--
	mask := uint32(len(s.table) - 1) //nolint:gosec // below limit
	for next := (slot + 1) & mask; ; next = (next + 1) & mask {
		at := s.table[next]
		if at == 0 {
			s.table[slot] = 0
			return
		}
		home := s.keyAt(at-1).hash() / cacheShards & mask
		if (next-home)&mask >= (next-slot)&mask { // it may stand as far back as slot
			s.table[slot] = at
			slot = next
		}
	}
}

// widen doubles the table.
func (s *cacheShard) widen() {
	old := s.table
	s.table = make([]uint32, max(16, 2*len(old)))
	for _, at := range old {
		if at != 0 {
			slot, _ := s.slot(s.keyAt(at - 1))
			s.table[slot] = at
		}
	}
}
