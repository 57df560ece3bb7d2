package status

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
)

// shape is what many kept answers have in common: all octets but those of the serial number, the
// times and the signature. It stays in the processor's nearest memory, so that a kept answer fetches
// from far away only what no other has.
type shape struct {
	of      shapeKey
	text    []byte // one of the answers; nil: those of this shape are kept whole
	serial  int    // where in text it stands, and so on
	this    int
	revoked int
	made    int
	next    int
	mark    int // the signature

	madeAfter, nextAfter int64 // seconds after thisUpdate
	signed               int   // the signature's length
	records              int   // in all shards, guarded by shapes.mu
}

// shapeKey is what is the same for all answers of a shape.
type shapeKey struct {
	begins  [3]byte // of their cacheKeys
	cert    warifu.CertStatus
	reason  warifu.Reason
	archive bool
	signer  uint64
	length  int // of the answers; zero: kept whole
}

const (
	mostShapes = 256
	// shapeOctets is what a shape may cost, its text included.
	shapeOctets = 1 << 10
	// mostAlike is how many shapes may differ in what shapeKey does not say: months, or
	// how far a source was behind.
	mostAlike = 8

	timeText = len("20060102150405") // GeneralizedTime without its Z
)

// shapes are those that records are of.
type shapes struct {
	numbered []atomic.Pointer[shape] // a record holds its shape there until it falls out of the ring

	mu      sync.Mutex
	alike   map[shapeKey][]uint16
	scratch []byte
}

// take returns the shape for an answer, which counts one record more from here on, or false where there
// is no place for another. The shape, if it is not to keep answers whole, makes exactly this
// answer out of its record: that is tried here.
func (c *shapes) take(k *cacheKey, a *kept) (uint16, *shape, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := shapeKey{begins: [3]byte(k[:]), cert: a.status.Cert, reason: a.status.Reason, archive: a.archive, signer: a.signer, length: len(a.head)}
	alike := c.alike[of]
	for _, n := range alike {
		if p := c.numbered[n].Load(); c.makes(p, k, a) {
			p.records++
			return n, p, true
		}
	}
	if len(alike) < mostAlike {
		if p := newShape(of, k, a); p != nil && c.makes(p, k, a) {
			return c.add(p)
		}
	}
	of.length = 0
	for _, n := range c.alike[of] {
		p := c.numbered[n].Load()
		p.records++
		return n, p, true
	}
	return c.add(&shape{of: of})
}

// add gives a shape its number.
func (c *shapes) add(p *shape) (uint16, *shape, bool) {
	for n := range c.numbered {
		if c.numbered[n].Load() == nil {
			p.records = 1
			c.numbered[n].Store(p)
			c.alike[p.of] = append(c.alike[p.of], uint16(n)) //nolint:gosec // below mostShapes
			return uint16(n), p, true                        //nolint:gosec // below mostShapes
		}
	}
	return 0, nil, false
}

// leave is for a record that falls. A shape without records goes.
func (c *shapes) leave(n uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.numbered[n].Load()
	if p.records--; p.records > 0 {
		return
	}
	c.numbered[n].Store(nil)
	var others []uint16
	for _, m := range c.alike[p.of] {
		if m != n {
			others = append(others, m)
		}
	}
	if others == nil {
		delete(c.alike, p.of)
	} else {
		c.alike[p.of] = others
	}
}

// makes reports whether the answer is exactly what the shape would make of its record.
func (c *shapes) makes(p *shape, k *cacheKey, a *kept) bool {
	c.scratch = p.build(c.scratch[:0], k.serial(), a.thisUpdate.Unix(), unix(a.status.RevokedAt), a.head[p.mark:p.mark+p.signed])
	return bytes.Equal(c.scratch, a.head)
}

// build appends the answer.
func (p *shape) build(into, serial []byte, this, revoked int64, signature []byte) []byte {
	out := append(into, p.text...)
	t := out[len(into):]
	copy(t[p.serial:], serial)
	putSecond(t[p.this:], this)
	if p.madeAfter == 0 {
		copy(t[p.made:p.made+timeText], t[p.this:])
	} else {
		putSecond(t[p.made:], this+p.madeAfter)
	}
	putSecond(t[p.next:], this+p.nextAfter)
	if p.of.cert == warifu.StatusRevoked {
		putSecond(t[p.revoked:], revoked)
	}
	copy(t[p.mark:], signature)
	return out
}

// newShape finds the places in an answer, or returns nil for one that is not as ocsp.Sign makes
// them. It need not understand the answer, since makes tries what was found.
func newShape(of shapeKey, k *cacheKey, a *kept) *shape {
	p := &shape{of: of, text: bytes.Clone(a.head)}
	integer := k.serial()
	if len(integer) == 0 || len(p.text)+64 > shapeOctets {
		return nil
	}
	if integer[0] >= 0x80 {
		integer = append([]byte{0}, integer...)
	}
	at := bytes.Index(p.text, append([]byte{2, byte(len(integer))}, integer...))
	if at < 0 {
		return nil
	}
	p.serial = at + 2 + len(integer) - len(k.serial())
	times := timesIn(p.text)
	places := []*int{&p.made, &p.this, &p.next}
	if of.cert == warifu.StatusRevoked {
		places = []*int{&p.made, &p.revoked, &p.this, &p.next}
	}
	if len(times) < len(places) {
		return nil
	}
	for i, place := range places {
		*place = times[i]
	}
	this, ok1 := secondAt(p.text[p.this:])
	made, ok2 := secondAt(p.text[p.made:])
	next, ok3 := secondAt(p.text[p.next:])
	p.madeAfter, p.nextAfter = made-this, next-this
	p.mark, p.signed = signatureIn(p.text)
	if !ok1 || !ok2 || !ok3 || p.signed == 0 {
		return nil
	}
	return p
}

// timesIn finds the values of type GeneralizedTime.
func timesIn(text []byte) (at []int) {
	for i := 0; i+2+timeText < len(text); i++ {
		if text[i] == 0x18 && int(text[i+1]) == timeText+1 && text[i+2+timeText] == 'Z' {
			at = append(at, i+2)
			i += 2 + timeText
		}
	}
	return at
}

func secondAt(text []byte) (int64, bool) {
	t, err := time.Parse("20060102150405", string(text[:timeText]))
	return t.Unix(), err == nil
}

// signatureIn finds the signature, a bit string at the end or before the beginning of a
// certificate: ECDSA's by what it begins with, RSA's by its usual lengths.
func signatureIn(text []byte) (at, length int) {
	for behind := range 12 {
		for n := 66; n <= 72; n++ {
			if at := len(text) - behind - n; at >= 3 && bytes.Equal(text[at-3:at+2], []byte{3, byte(n + 1), 0, 0x30, byte(n - 2)}) {
				return at, n
			}
		}
		for n := 256; n <= 512; n += 128 {
			if at := len(text) - behind - n; at >= 5 && bytes.Equal(text[at-5:at], []byte{3, 0x82, byte((n + 1) >> 8), byte((n + 1) & 0xFF), 0}) {
				return at, n
			}
		}
	}
	return 0, 0
}
