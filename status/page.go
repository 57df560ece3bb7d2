package status

import (
	"math/bits"
	"slices"
)

// pageBits is how many indices a page holds: one container of a two-level bitmap.
const pageBits = 1 << 16

// sparseLimit is how many indices a page lists before a bitmap takes less room.
const sparseLimit = pageBits / 16

// page is a set of indices within one container: listed while they are few, and a
// bitmap of 8 KiB once they are many.
type page struct {
	few  []uint16 // ascending
	many *[pageBits / 64]uint64
	age  uint32 // of the set of indices that may change it; an older page is also a snapshot's
}

func (p *page) has(i uint16) bool {
	if p.many != nil {
		return p.many[i/64]&(1<<(i%64)) != 0
	}
	_, found := slices.BinarySearch(p.few, i)
	return found
}

func (p *page) add(i uint16) {
	if p.many != nil {
		p.many[i/64] |= 1 << (i % 64)
		return
	}
	at, found := slices.BinarySearch(p.few, i)
	if found {
		return
	}
	if len(p.few) < sparseLimit {
		p.few = slices.Insert(p.few, at, i)
		return
	}
	p.many = new([pageBits / 64]uint64)
	for _, j := range p.few {
		p.many[j/64] |= 1 << (j % 64)
	}
	p.few = nil
	p.add(i)
}

// remove takes an index out. A bitmap stays one: what was full fills up again.
func (p *page) remove(i uint16) {
	if p.many != nil {
		p.many[i/64] &^= 1 << (i % 64)
		return
	}
	if at, found := slices.BinarySearch(p.few, i); found {
		p.few = slices.Delete(p.few, at, at+1)
	}
}

func (p *page) count() (n int) {
	if p.many == nil {
		return len(p.few)
	}
	for _, w := range p.many {
		n += bits.OnesCount64(w)
	}
	return n
}

// indices is a set of 32-bit indices.
type indices struct {
	pages []*page
	age   uint32
}

// freeze returns what is in the set now. It costs a pointer a page: a page is copied when
// it is changed afterwards, once.
func (s *indices) freeze() indices {
	s.age++
	return indices{pages: slices.Clone(s.pages)}
}

// own returns the page for changing.
func (s *indices) own(at int) *page {
	p := s.pages[at]
	if p.age != s.age {
		copied := &page{few: slices.Clone(p.few), age: s.age}
		if p.many != nil {
			many := *p.many
			copied.many = &many
		}
		s.pages[at], p = copied, copied
	}
	return p
}

func (s *indices) has(i uint32) bool {
	at := int(i / pageBits)
	return at < len(s.pages) && s.pages[at] != nil && s.pages[at].has(uint16(i))
}

func (s *indices) add(i uint32) {
	at := int(i / pageBits)
	if at >= len(s.pages) {
		s.pages = append(s.pages, make([]*page, at+1-len(s.pages))...)
	}
	if s.pages[at] == nil {
		s.pages[at] = &page{age: s.age}
	}
	s.own(at).add(uint16(i))
}

func (s *indices) remove(i uint32) {
	if at := int(i / pageBits); at < len(s.pages) && s.pages[at] != nil {
		s.own(at).remove(uint16(i))
	}
}

func (s *indices) count() (n int) {
	for _, p := range s.pages {
		if p != nil {
			n += p.count()
		}
	}
	return n
}
