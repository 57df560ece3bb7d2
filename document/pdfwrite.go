package document

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// write appends the update to the file: its objects, a cross-reference section of the
// same sort as the newest one (§7.5.6), and the new end. It returns where each object stands.
func (u *update) write() ([]byte, map[int]int) {
	b := bytes.NewBuffer(bytes.Clone(u.file.in))
	if !bytes.HasSuffix(u.file.in, []byte("\n")) {
		b.WriteByte('\n')
	}
	offsets := map[int]int{}
	for _, n := range slices.Sorted(maps.Keys(u.objects)) {
		offsets[n] = b.Len()
		fmt.Fprintf(b, "%d %d obj\n", n, u.generation(n))
		write(b, u.objects[n])
		b.WriteString("\nendobj\n")
	}
	newest := u.file.sections[0]
	trailer := pdfDict{"Prev": int64(newest.at)}
	for _, k := range []pdfName{"Root", "Info", "ID"} {
		if v, ok := newest.trailer[k]; ok {
			trailer[k] = v
		}
	}
	var at int
	if newest.stream {
		at = u.writeStream(b, trailer, offsets)
	} else {
		at = u.writeTable(b, trailer, offsets)
	}
	fmt.Fprintf(b, "startxref\n%d\n%%%%EOF\n", at)
	return b.Bytes(), offsets
}

// generation is that of the object as it stands; a new one's is 0.
func (u *update) generation(n int) int {
	if e, ok := u.file.entryIn(n, 0); ok && e.stream == 0 {
		return e.gen
	}
	return 0
}

// runs groups ascending numbers into first and count.
func runs(numbers []int) (out [][2]int) {
	for _, n := range numbers {
		if last := len(out) - 1; last >= 0 && out[last][0]+out[last][1] == n {
			out[last][1]++
			continue
		}
		out = append(out, [2]int{n, 1})
	}
	return out
}

func (u *update) writeTable(b *bytes.Buffer, trailer pdfDict, offsets map[int]int) int {
	at := b.Len()
	b.WriteString("xref\n")
	for _, run := range runs(slices.Sorted(maps.Keys(offsets))) {
		fmt.Fprintf(b, "%d %d\n", run[0], run[1])
		for n := run[0]; n < run[0]+run[1]; n++ {
			fmt.Fprintf(b, "%010d %05d n \n", offsets[n], u.generation(n))
		}
	}
	trailer["Size"] = int64(u.size)
	b.WriteString("trailer\n")
	write(b, trailer)
	b.WriteByte('\n')
	return at
}

// writeStream writes a cross-reference stream, which lists itself.
func (u *update) writeStream(b *bytes.Buffer, trailer pdfDict, offsets map[int]int) int {
	self := u.next()
	at := b.Len()
	offsets[self.number] = at
	var rows []byte
	index := pdfArray{}
	for _, run := range runs(slices.Sorted(maps.Keys(offsets))) {
		index = append(index, int64(run[0]), int64(run[1]))
		for n := run[0]; n < run[0]+run[1]; n++ {
			rows = append(rows, 1)
			rows = binary.BigEndian.AppendUint32(rows, uint32(offsets[n]))
			rows = binary.BigEndian.AppendUint16(rows, uint16(u.generation(n)))
		}
	}
	trailer["Type"], trailer["Size"], trailer["Index"] = pdfName("XRef"), int64(u.size), index
	trailer["W"], trailer["Length"] = pdfArray{int64(1), int64(4), int64(2)}, int64(len(rows))
	fmt.Fprintf(b, "%d 0 obj\n", self.number)
	write(b, pdfStream{trailer, rows})
	b.WriteString("\nendobj\n")
	return at
}
