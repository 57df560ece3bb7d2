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
	// cacheIndex is what an answer costs in the index, in octets, at most.
	cacheIndex = 96
)

// cacheKey is what an answer is kept by. It holds no pointer, so that a million of them
// are no work for the garbage collector.
type cacheKey struct {
	kind   warifu.Kind
	form   ocsp.Form
	length uint8
	serial [20]byte
}

func keyOf(kind warifu.Kind, form ocsp.Form, serial []byte) cacheKey {
	k := cacheKey{kind: kind, form: form, length: uint8(len(serial))} //nolint:gosec // at most 20
	copy(k.serial[:], serial)
	return k
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
	for i := range c.shards {
		c.shards[i] = cacheShard{limit: min(max(0, octets/cacheShards), 1<<31), index: map[cacheKey]uint32{}, flights: map[cacheKey]*flight{}}
	}
	return c
}

func (c *Cache) shard(k *cacheKey) *cacheShard {
	h := uint32(2166136261) // FNV-1a: serial numbers are drawn by a cipher, nobody chooses them
	for _, b := range k.serial {
		h = (h ^ uint32(b)) * 16777619
	}
	return &c.shards[h%cacheShards]
}

// Invalidate forgets the answers about one certificate, or with a serial of nil about
// all of the kind's. It is what Set.OnChange is for.
func (c *Cache) Invalidate(kind warifu.Kind, serial []byte) {
	if serial == nil {
		c.forget(func(k cacheKey) bool { return k.kind == kind })
		return
	}
	if len(serial) > len(cacheKey{}.serial) {
		return
	}
	k := keyOf(kind, 0, serial)
	s := c.shard(&k)
	s.mu.Lock()
	defer s.mu.Unlock()
	for k.form = range ocsp.Form(ocsp.NumForms) {
		delete(s.index, k)
	}
}

func (c *Cache) forget(which func(cacheKey) bool) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for k := range s.index {
			if which(k) {
				delete(s.index, k)
			}
		}
		s.mu.Unlock()
	}
}

// Len returns how many answers are kept.
func (c *Cache) Len() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += len(s.index)
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
	first   int // the oldest record
	next    int // where the next one goes
	end     int // where the records end that stand behind next; 0: none do, next is behind first
	live    int // records in the ring, forgotten ones too
	index   map[cacheKey]uint32
	flights map[cacheKey]*flight
}

// A record: its length, its key, and what kept holds.
const (
	recordKey    = 4
	recordStatus = recordKey + 23
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
	r[recordKey], r[recordKey+1], r[recordKey+2] = byte(k.kind), byte(k.form), k.length
	copy(r[recordKey+3:], k.serial[:])
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
	s.index[k] = uint32(s.next) //nolint:gosec // below limit
	s.next += size
	s.live++
}

// find returns what is kept; its head is appended to into. The caller holds the lock.
func (s *cacheShard) find(k cacheKey, into []byte) (kept, bool) {
	at, found := s.index[k]
	if !found {
		return kept{}, false
	}
	r := s.ring[at:]
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
	k := cacheKey{kind: warifu.Kind(r[recordKey]), form: ocsp.Form(r[recordKey+1]), length: r[recordKey+2]}
	copy(k.serial[:], r[recordKey+3:])
	if at, found := s.index[k]; found && int(at) == s.first {
		delete(s.index, k)
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
