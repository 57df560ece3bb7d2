package status

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"slices"
	"time"

	"warifu"
)

// A snapshot of a set on disk, all integers little-endian:
//
//	"WSET1" ‖ kind (1) ‖ head (8) ‖ as of (8, microseconds since 1970) ‖ mark (32) ‖ pages (4) ‖ ends (4)
//	page: number (4) ‖ listed (4), 0xFFFFFFFF for a bitmap ‖ listed × 2 octets, or 8 KiB
//	ends: index column (4 each) ‖ since column (4 each) ‖ reason column (1 each)
//	SHA-256 of everything before it (32)
//
// It is a cache and nobody's word: who can change it can change the database's file too.
// The digest is against torn writes.
const (
	snapshotMark   = "WSET1"
	snapshotBitmap = 1<<32 - 1
)

var errSnapshot = errors.New("status: the snapshot cannot be read")

// frozen is a set at one instant, which stays as it is while the set goes on.
type frozen struct {
	kind warifu.Kind
	head int64
	mark [32]byte
	asOf time.Time
	good indices
	ends ends
}

func (s *Set) freeze() frozen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return frozen{s.kind, s.head, s.mark, s.asOf, s.good.freeze(), s.ends.freeze()}
}

// WriteSnapshot writes down the set as it is when it is called. Answering and following
// go on meanwhile.
func (s *Set) WriteSnapshot(w io.Writer) error {
	f := s.freeze()
	f.ends.merge()
	digest := sha256.New()
	b := bufio.NewWriterSize(io.MultiWriter(w, digest), 1<<16)
	var pages uint32
	for _, p := range f.good.pages {
		if p != nil && p.count() > 0 {
			pages++
		}
	}
	head := append([]byte(snapshotMark), byte(f.kind))
	head = binary.LittleEndian.AppendUint64(head, uint64(f.head))
	head = binary.LittleEndian.AppendUint64(head, uint64(f.asOf.UnixMicro()))
	head = append(head, f.mark[:]...)
	head = binary.LittleEndian.AppendUint32(head, pages)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(f.ends.index)))
	_, _ = b.Write(head) // a bufio.Writer keeps its first error for Flush
	for n, p := range f.good.pages {
		if p != nil && p.count() > 0 {
			writePage(b, uint32(n), p)
		}
	}
	for _, column := range [][]uint32{f.ends.index, f.ends.since} {
		for _, v := range column {
			_, _ = b.Write(binary.LittleEndian.AppendUint32(b.AvailableBuffer(), v))
		}
	}
	_, _ = b.Write(f.ends.reason)
	if err := b.Flush(); err != nil {
		return err
	}
	_, err := w.Write(digest.Sum(nil))
	return err
}

func writePage(b *bufio.Writer, number uint32, p *page) {
	out := binary.LittleEndian.AppendUint32(b.AvailableBuffer(), number)
	if p.many == nil {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(p.few)))
		for _, i := range p.few {
			out = binary.LittleEndian.AppendUint16(out, i)
		}
		_, _ = b.Write(out)
		return
	}
	_, _ = b.Write(binary.LittleEndian.AppendUint32(out, snapshotBitmap))
	for _, w := range p.many {
		_, _ = b.Write(binary.LittleEndian.AppendUint64(b.AvailableBuffer(), w))
	}
}

// snapshotReader reads and digests; after the first failure everything is zero.
type snapshotReader struct {
	in     io.Reader
	digest hash.Hash
	room   []byte
	err    error
}

func (r *snapshotReader) take(n int) []byte {
	if cap(r.room) < n {
		r.room = make([]byte, n)
	}
	out := r.room[:n]
	if r.err == nil {
		_, r.err = io.ReadFull(r.in, out)
	}
	if r.err != nil {
		clear(out)
	}
	_, _ = r.digest.Write(out) // a hash never fails
	return out
}

func (r *snapshotReader) uint32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

// ReadSnapshot fills the set from what WriteSnapshot wrote; the feed is followed from
// there. On an error the set stays as it was.
func (s *Set) ReadSnapshot(in io.Reader) error {
	if err := s.readSnapshot(in); err != nil {
		return err
	}
	s.tell(nil)
	return nil
}

func (s *Set) readSnapshot(in io.Reader) error {
	r := &snapshotReader{in: bufio.NewReaderSize(in, 1<<20), digest: sha256.New()}
	head := r.take(len(snapshotMark) + 1 + 8 + 8 + 32)
	if r.err != nil || string(head[:len(snapshotMark)]) != snapshotMark || head[len(snapshotMark)] != byte(s.kind) {
		return errSnapshot
	}
	number := int64(binary.LittleEndian.Uint64(head[6:]))
	asOf := time.UnixMicro(int64(binary.LittleEndian.Uint64(head[14:])))
	mark := [32]byte(head[22:])
	pages, count := r.uint32(), r.uint32()
	if r.err != nil || pages > pageBits || number < 0 {
		return errSnapshot
	}
	var good indices
	for range pages {
		if !r.page(&good) {
			return errSnapshot
		}
	}
	var e ends
	if !r.ends(&e, int(count)) {
		return errSnapshot
	}
	want := r.digest.Sum(nil)
	if got := r.take(len(want)); r.err != nil || string(got) != string(want) {
		return errSnapshot
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good, s.ends, s.head, s.mark, s.asOf, s.broken = good, e, number, mark, asOf, nil
	return nil
}

// page reads one page; their numbers ascend.
func (r *snapshotReader) page(good *indices) bool {
	number, listed := r.uint32(), r.uint32()
	if r.err != nil || number >= pageBits || int(number) < len(good.pages) || listed > sparseLimit && listed != snapshotBitmap {
		return false
	}
	p := &page{}
	p.age = good.age
	if listed == snapshotBitmap {
		p.many = new([pageBits / 64]uint64)
		octets := r.take(pageBits / 8)
		for i := range p.many {
			p.many[i] = binary.LittleEndian.Uint64(octets[8*i:])
		}
	} else {
		octets := r.take(2 * int(listed))
		p.few = make([]uint16, listed)
		for i := range p.few {
			p.few[i] = binary.LittleEndian.Uint16(octets[2*i:])
			if i > 0 && p.few[i] <= p.few[i-1] {
				return false
			}
		}
	}
	good.pages = append(good.pages, make([]*page, int(number)+1-len(good.pages))...)
	good.pages[number] = p
	return r.err == nil
}

// ends reads the three columns in portions, so that a false count costs no memory.
func (r *snapshotReader) ends(e *ends, count int) bool {
	const portion = 1 << 16
	for _, column := range []*[]uint32{&e.index, &e.since} {
		for left := count; left > 0 && r.err == nil; left -= min(left, portion) {
			octets := r.take(4 * min(left, portion))
			for i := 0; i < len(octets); i += 4 {
				*column = append(*column, binary.LittleEndian.Uint32(octets[i:]))
			}
		}
	}
	for left := count; left > 0 && r.err == nil; left -= min(left, portion) {
		e.reason = append(e.reason, r.take(min(left, portion))...)
	}
	e.index, e.since, e.reason = slices.Clone(e.index), slices.Clone(e.since), slices.Clone(e.reason) // to their own size
	for i := 1; i < len(e.index); i++ {
		if e.index[i] <= e.index[i-1] {
			return false
		}
	}
	return r.err == nil
}
