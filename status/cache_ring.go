package status

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"warifu"
)

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
	table   []uint32 // their seals and where they are, in units and one more than that; open addressing, a power of two, at most half full
	shapes  *shapes  // of all shards
	flights map[cacheKey]*flight
}

// A record: its shape's number, the second of thisUpdate, serial number, digest, the second
// of revocation if it is revoked, and the signature, or length and octets of an answer that is kept whole. With ECDSA and
// a serial number of seventeen octets, which is what there is by the million, that is two lines of the processor's memory.
const (
	cacheUnit    = 64 // records begin at multiples of it
	secondOctets = 5
	recordSerial = 2 + secondOctets
	wholeLength  = 2
)

func putSeconds(to []byte, second int64) {
	to[0] = byte(second >> 32)
	binary.BigEndian.PutUint32(to[1:], uint32(second)) //nolint:gosec // the rest of it
}

func seconds(of []byte) int64 {
	return int64(of[0])<<32 | int64(binary.BigEndian.Uint32(of[1:]))
}

// rest is where a record's signature, or length, begins.
func (p *shape) rest() int {
	n := recordSerial + int(p.of.begins[2]) + sha256.Size
	if p.of.cert == warifu.StatusRevoked {
		n += secondOctets
	}
	return n
}

// size is that of a record, in octets.
func (p *shape) size(rest int) int {
	return (p.rest() + rest + cacheUnit - 1) / cacheUnit * cacheUnit
}

// sizeAt is the size of a record in the ring.
func (s *cacheShard) sizeAt(at int) int {
	p := s.shapeAt(at)
	if p.text == nil {
		return p.size(wholeLength + int(binary.BigEndian.Uint16(s.ring[at+p.rest():])))
	}
	return p.size(p.signed)
}

func (s *cacheShard) shapeAt(at int) *shape {
	return s.shapes.numbered[binary.BigEndian.Uint16(s.ring[at:])].Load()
}

// put keeps an answer, or forgets the one before it if this one cannot be kept.
func (s *cacheShard) put(k cacheKey, a kept) {
	this, revoked := a.thisUpdate.Unix(), unix(a.status.RevokedAt)
	s.mu.Lock()
	defer s.mu.Unlock()
	fits := len(a.head) > 0 && len(a.head) < 1<<16 && this >= 0 && this < 1<<(8*secondOctets) && revoked >= 0 && revoked < 1<<(8*secondOctets) &&
		(revoked == 0 || a.status.Cert == warifu.StatusRevoked)
	number, p, taken := uint16(0), (*shape)(nil), false
	if fits {
		number, p, taken = s.shapes.take(&k, &a)
	}
	if !taken {
		if s.known > 0 {
			if slot, found := s.slot(&k); found {
				s.clear(slot)
			}
		}
		return
	}
	size := p.size(p.signed)
	if p.text == nil {
		size = p.size(wholeLength + len(a.head))
	}
	if !s.room(size) {
		s.shapes.leave(number)
		return
	}
	r := s.ring[s.next : s.next+size]
	binary.BigEndian.PutUint16(r, number)
	putSeconds(r[2:], this)
	n := recordSerial + copy(r[recordSerial:], k.serial())
	copy(r[n:], a.tag[:])
	if p.of.cert == warifu.StatusRevoked {
		putSeconds(r[n+sha256.Size:], revoked)
	}
	r = r[p.rest():]
	if p.text == nil {
		binary.BigEndian.PutUint16(r, uint16(len(a.head))) //nolint:gosec // looked at above
		copy(r[wholeLength:], a.head)
	} else {
		copy(r, a.head[p.mark:p.mark+p.signed])
	}
	slot, found := s.slot(&k)
	s.table[slot] = seal(k.hash()) | uint32(s.next/cacheUnit+1) //nolint:gosec // below limit
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
	at := place(s.table[slot])
	p := s.shapeAt(at)
	r := s.ring[at:]
	this, revoked := seconds(r[2:]), int64(0)
	a := kept{status: warifu.Status{Cert: p.of.cert, Reason: p.of.reason}, archive: p.of.archive, thisUpdate: time.Unix(this, 0).UTC(), signer: p.of.signer}
	n := recordSerial + int(k[2])
	a.tag = [sha256.Size]byte(r[n:])
	if p.of.cert == warifu.StatusRevoked {
		revoked = seconds(r[n+sha256.Size:])
		a.status.RevokedAt = fromUnix(revoked)
	}
	r = r[p.rest():]
	if p.text == nil {
		a.head = append(into, r[wholeLength:wholeLength+int(binary.BigEndian.Uint16(r))]...)
	} else {
		a.head = p.build(into, k.serial(), this, revoked, r[:p.signed])
	}
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
	size, number := s.sizeAt(s.first), binary.BigEndian.Uint16(s.ring[s.first:])
	k := s.keyAt(s.first)
	if slot, found := s.slot(&k); found && place(s.table[slot]) == s.first {
		s.clear(slot)
	}
	s.shapes.leave(number)
	s.first += size
	s.live--
	switch {
	case s.live == 0:
		s.first, s.next, s.end = 0, 0, 0
	case s.end != 0 && s.first == s.end:
		s.first, s.end = 0, 0
	}
}

// place is where the record is that a slot of the table is about.
func place(slot uint32) int { return int(slot&(1<<24-1)-1) * cacheUnit }

func (s *cacheShard) keyAt(at int) (k cacheKey) {
	copy(k[:], s.shapeAt(at).of.begins[:])
	copy(k.serial(), s.ring[at+recordSerial:])
	return k
}

// slot returns where in the table the key is, or else where it would go. The table is not
// empty and never full.
func (s *cacheShard) slot(k *cacheKey) (slot uint32, found bool) {
	mask := uint32(len(s.table) - 1) //nolint:gosec // below limit
	hash := k.hash()
	mark := seal(hash)
	for slot = home(hash) & mask; ; slot = (slot + 1) & mask {
		in := s.table[slot]
		if in == 0 {
			return slot, false
		}
		if in&(0xFF<<24) == mark {
			at := place(in)
			if s.shapeAt(at).of.begins == [3]byte(k[:]) && bytes.Equal(s.ring[at+recordSerial:at+recordSerial+int(k[2])], k.serial()) {
				return slot, true
			}
		}
	}
}

// stand puts a slot's content, of a key that is not in the table, where it belongs.
func (s *cacheShard) stand(in uint32, hash uint64) {
	mask := uint32(len(s.table) - 1) //nolint:gosec // below limit
	slot := home(hash) & mask
	for s.table[slot] != 0 {
		slot = (slot + 1) & mask
	}
	s.table[slot] = in
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
		k := s.keyAt(place(at))
		if (next-home(k.hash()))&mask >= (next-slot)&mask { // it may stand as far back as slot
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
			k := s.keyAt(place(at))
			s.stand(at, k.hash())
		}
	}
}
