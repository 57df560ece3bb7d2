package document

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

const (
	// MaxPDF bounds a PDF file in octets.
	MaxPDF = 64 << 20

	maxPDFSections = 256
	maxPDFObjects  = 1 << 20
	maxPDFDecoded  = 64 << 20 // octets of all decoded streams of a file
)

// entry says where an object stands (ISO 32000-1 §7.5.4, §7.5.8).
type entry struct {
	free   bool
	stream int // number of the object stream it stands in; 0: it stands in the file itself
	offset int // in the file, or index in the stream
	gen    int
}

// section is one cross-reference section with its trailer: what one save of the file
// says of the objects it wrote.
type section struct {
	at      int // offset of the section
	entries map[int]entry
	trailer pdfDict
	stream  bool // a cross-reference stream
}

// pdfFile is a file as its newest cross-reference section tells it.
type pdfFile struct {
	in       []byte
	sections []section // newest first
	decoded  int       // octets decoded so far
	streams  map[int][]packed
}

// packed is one object of an object stream.
type packed struct {
	number int
	object pdfObject
}

// openPDF reads the structure of a file: from the last startxref back through every
// /Prev. Nothing is repaired: what is out of order is refused, since readers repair
// differently, and then people see different documents under one signature.
func openPDF(in []byte) (*pdfFile, error) {
	if len(in) > MaxPDF {
		return nil, errors.New("larger than 64 MiB")
	}
	if !bytes.HasPrefix(in, []byte("%PDF-")) {
		return nil, errors.New("it does not begin with %PDF-")
	}
	at, err := startXref(in)
	if err != nil {
		return nil, err
	}
	f := &pdfFile{in: in, streams: map[int][]packed{}}
	seen := map[int]bool{}
	for more := true; more; {
		if seen[at] || len(f.sections) == maxPDFSections {
			return nil, errors.New("its cross-reference sections run in a circle")
		}
		seen[at] = true
		s, err := f.section(at)
		if err != nil {
			return nil, err
		}
		f.sections = append(f.sections, s)
		if at, more, err = previous(s.trailer, len(in)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// startXref returns what the last startxref of the octets points to.
func startXref(in []byte) (int, error) {
	tail := max(0, len(in)-2048)
	i := bytes.LastIndex(in[tail:], []byte("startxref"))
	if i < 0 {
		return 0, errors.New("startxref is missing")
	}
	s := &scanner{in: in, at: tail + i + len("startxref")}
	at, ok := s.integer()
	if !ok || at >= len(in) {
		return 0, errors.New("startxref points nowhere")
	}
	return at, nil
}

func previous(trailer pdfDict, size int) (at int, more bool, err error) {
	if _, encrypted := trailer["Encrypt"]; encrypted {
		return 0, false, errors.New("it is encrypted")
	}
	if _, hybrid := trailer["XRefStm"]; hybrid {
		return 0, false, errors.New("it has two cross-references at once (XRefStm), which readers take differently")
	}
	prev, has := trailer["Prev"]
	if !has {
		return 0, false, nil
	}
	n, ok := prev.(int64)
	if !ok || n < 0 || n >= int64(size) {
		return 0, false, errors.New("/Prev points nowhere")
	}
	return int(n), true, nil
}

// section reads a cross-reference table or stream.
func (f *pdfFile) section(at int) (section, error) {
	s := &scanner{in: f.in, at: at}
	if s.keyword("xref") {
		return f.table(s, at)
	}
	number, o, err := f.objectAt(at, noLookup)
	if err != nil {
		return section{}, err
	}
	stream, ok := o.(pdfStream)
	if !ok || stream.dict["Type"] != pdfName("XRef") {
		return section{}, fmt.Errorf("object %d is no cross-reference", number)
	}
	out := section{at: at, trailer: stream.dict, stream: true, entries: map[int]entry{}}
	octets, err := f.decode(stream)
	if err != nil {
		return section{}, err
	}
	return out, out.readStream(octets)
}

// table reads a cross-reference table (§7.5.4).
func (f *pdfFile) table(s *scanner, at int) (section, error) {
	out := section{at: at, entries: map[int]entry{}}
	for !s.keyword("trailer") {
		first, ok1 := s.integer()
		count, ok2 := s.integer()
		if !ok1 || !ok2 || first+count > maxPDFObjects {
			return out, s.errorf("a cross-reference table is malformed")
		}
		for n := first; n < first+count; n++ {
			offset, ok1 := s.integer()
			generation, ok2 := s.integer()
			in := s.keyword("n")
			if !ok1 || !ok2 || !in && !s.keyword("f") {
				return out, s.errorf("a cross-reference table is malformed")
			}
			if _, twice := out.entries[n]; twice {
				return out, s.errorf("object %d stands twice in a cross-reference table", n)
			}
			out.entries[n] = entry{free: !in, offset: offset, gen: generation}
		}
	}
	o, err := s.object(0)
	trailer, ok := o.(pdfDict)
	if err != nil || !ok {
		return out, s.errorf("a trailer is malformed")
	}
	out.trailer = trailer
	return out, nil
}

// readStream reads the entries of a cross-reference stream (§7.5.8.3).
func (x *section) readStream(octets []byte) error {
	malformed := errors.New("a cross-reference stream is malformed")
	widths, ok := x.trailer["W"].(pdfArray)
	size, sized := x.trailer["Size"].(int64)
	if !ok || len(widths) != 3 || !sized || size < 0 || size > maxPDFObjects {
		return malformed
	}
	var w [3]int
	for i, o := range widths {
		n, ok := o.(int64)
		if !ok || n < 0 || n > 6 {
			return malformed
		}
		w[i] = int(n)
	}
	index, ok := x.trailer["Index"].(pdfArray)
	if !ok {
		index = pdfArray{int64(0), size}
	}
	row := w[0] + w[1] + w[2]
	for pair := range slices.Chunk(index, 2) {
		if len(pair) != 2 || row == 0 {
			return malformed
		}
		first, ok1 := pair[0].(int64)
		count, ok2 := pair[1].(int64)
		if !ok1 || !ok2 || first < 0 || count < 0 || first > maxPDFObjects || count > maxPDFObjects || int(count)*row > len(octets) {
			return malformed
		}
		for n := int(first); n < int(first+count); n++ {
			if _, twice := x.entries[n]; twice {
				return malformed
			}
			e, ok := rowEntry(octets[:row], w)
			if !ok {
				return malformed
			}
			x.entries[n], octets = e, octets[row:]
		}
	}
	return nil
}

func rowEntry(row []byte, w [3]int) (entry, bool) {
	var v [3]int
	v[0] = 1 // the default where its width is 0
	at := 0
	for i, width := range w {
		if width == 0 {
			continue
		}
		v[i] = 0
		for _, o := range row[at : at+width] {
			v[i] = v[i]<<8 | int(o)
		}
		at += width
	}
	switch v[0] {
	case 0:
		return entry{free: true}, true
	case 1:
		return entry{offset: v[1], gen: v[2]}, v[2] < 1<<16
	case 2:
		return entry{stream: v[1], offset: v[2]}, v[1] > 0 && v[1] < maxPDFObjects
	}
	return entry{}, false
}

// entryIn returns where an object stands in the revision whose newest section is from.
func (f *pdfFile) entryIn(number, from int) (entry, bool) {
	for _, s := range f.sections[from:] {
		if e, ok := s.entries[number]; ok {
			return e, !e.free
		}
	}
	return entry{}, false
}

// resolve follows references to an object of the revision; what is not there is null.
func (f *pdfFile) resolve(o pdfObject, from int) (pdfObject, error) {
	for range maxPDFDepth {
		ref, ok := o.(pdfRef)
		if !ok {
			return o, nil
		}
		e, ok := f.entryIn(ref.number, from)
		if !ok || e.stream == 0 && e.gen != ref.generation {
			return nil, nil
		}
		var err error
		if o, err = f.load(ref.number, e, from); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("its references run in a circle")
}

func (f *pdfFile) load(number int, e entry, from int) (pdfObject, error) {
	if e.stream != 0 {
		return f.loadPacked(number, e, from)
	}
	got, o, err := f.objectAt(e.offset, from)
	if err == nil && got != number {
		err = fmt.Errorf("where object %d should stand is object %d", number, got)
	}
	return o, err
}

// noLookup is given to objectAt where no revision is known yet.
const noLookup = -1

// objectAt reads "n g obj … endobj". A stream's length may stand in another object of
// the revision.
func (f *pdfFile) objectAt(at, from int) (int, pdfObject, error) {
	s := &scanner{in: f.in, at: at}
	if at <= 0 || at >= len(f.in) {
		return 0, nil, errors.New("an object lies outside the file")
	}
	number, ok1 := s.integer()
	_, ok2 := s.integer()
	if !ok1 || !ok2 || !s.keyword("obj") {
		return 0, nil, s.errorf("there is no object")
	}
	o, err := s.object(0)
	if err != nil {
		return 0, nil, err
	}
	if dict, ok := o.(pdfDict); ok && s.keyword("stream") {
		if o, err = f.stream(s, dict, from); err != nil {
			return 0, nil, err
		}
	}
	if !s.keyword("endobj") {
		return 0, nil, s.errorf("object %d has no end", number)
	}
	return number, o, nil
}

// stream reads the octets behind the keyword stream (§7.3.8).
func (f *pdfFile) stream(s *scanner, dict pdfDict, from int) (pdfObject, error) {
	if bytes.HasPrefix(s.in[s.at:], []byte("\r\n")) {
		s.at += 2
	} else if bytes.HasPrefix(s.in[s.at:], []byte("\n")) {
		s.at++
	} else {
		return nil, s.errorf("a stream does not begin on a new line")
	}
	o := dict["Length"]
	if _, indirect := o.(pdfRef); indirect && from != noLookup {
		var err error
		if o, err = f.resolve(o, from); err != nil {
			return nil, err
		}
	}
	length, ok := o.(int64)
	if !ok || length < 0 || length > int64(len(s.in)-s.at) {
		return nil, s.errorf("a stream's length is wrong")
	}
	out := pdfStream{dict, s.in[s.at : s.at+int(length)]}
	s.at += int(length)
	if !s.keyword("endstream") {
		return nil, s.errorf("a stream's length is wrong")
	}
	return out, nil
}

// loadPacked reads an object out of an object stream (§7.5.7).
func (f *pdfFile) loadPacked(number int, e entry, from int) (pdfObject, error) {
	container, ok := f.entryIn(e.stream, from)
	if !ok || container.stream != 0 {
		return nil, fmt.Errorf("object stream %d is missing", e.stream)
	}
	objects, ok := f.streams[container.offset]
	if !ok {
		got, o, err := f.objectAt(container.offset, from)
		stream, isStream := o.(pdfStream)
		if err != nil || !isStream || got != e.stream {
			return nil, fmt.Errorf("object stream %d cannot be read", e.stream)
		}
		if objects, err = f.unpack(stream); err != nil {
			return nil, err
		}
		f.streams[container.offset] = objects
	}
	if e.offset >= len(objects) || objects[e.offset].number != number {
		return nil, fmt.Errorf("object %d is not in its object stream", number)
	}
	return objects[e.offset].object, nil
}

func (f *pdfFile) unpack(stream pdfStream) ([]packed, error) {
	malformed := errors.New("an object stream is malformed")
	octets, err := f.decode(stream)
	if err != nil {
		return nil, err
	}
	count, ok1 := stream.dict["N"].(int64)
	first, ok2 := stream.dict["First"].(int64)
	if !ok1 || !ok2 || stream.dict["Type"] != pdfName("ObjStm") || count < 0 || count > maxPDFObjects || first < 0 || first > int64(len(octets)) {
		return nil, malformed
	}
	header := &scanner{in: octets[:first]}
	var out []packed
	for range count {
		number, ok1 := header.integer()
		offset, ok2 := header.integer()
		if !ok1 || !ok2 || int(first)+offset > len(octets) {
			return nil, malformed
		}
		o, err := (&scanner{in: octets, at: int(first) + offset}).object(0)
		if err != nil {
			return nil, err
		}
		out = append(out, packed{number, o})
	}
	return out, nil
}
