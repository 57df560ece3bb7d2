// Package sheet writes plain printed pages as PDF files (ISO 32000-1): headings, lines and
// pairs of a name and a value, in Japanese and Latin letters, on as many A4 pages as it takes.
// The sample services print with it what a person signs or files away. The same content
// makes the same octets.
//
// Letters are not embedded: the files name a font of the Adobe-Japan1 collection, for which
// every viewer has one (ISO 32000-1 §9.7.5.2), and so stay a few kilobytes.
package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Sizes in points. A4 is 595 by 842.
const (
	left, right, top, bottom = 60, 535, 780, 60
	body, large              = 10.5, 15
	leading                  = 18
	valueAt                  = 190 // where the value of a pair stands
)

// Sheet is a document in the making. The zero value is one without a mark.
type Sheet struct {
	// Mark stands across every page in grey ("見本 SAMPLE"); "" for none.
	Mark  string
	lines []line
}

type line struct {
	x, size float64
	text    string
	same    bool // on the height of the line before
	rule    bool // a thin line below
}

// Heading adds a heading.
func (s *Sheet) Heading(text string) { s.add(line{x: left, size: large, text: text, rule: true}) }

// Line adds a paragraph, broken where the page ends.
func (s *Sheet) Line(text string) {
	for _, part := range broken(text, right-left, body) {
		s.add(line{x: left, size: body, text: part})
	}
}

// Pair adds a name and its value beside it.
func (s *Sheet) Pair(name, value string) {
	s.add(line{x: left, size: body, text: name})
	for i, part := range broken(value, right-valueAt, body) {
		s.add(line{x: valueAt, size: body, text: part, same: i == 0})
	}
}

// Gap leaves a line empty.
func (s *Sheet) Gap() { s.add(line{}) }

func (s *Sheet) add(l line) { s.lines = append(s.lines, l) }

// PDF returns the file.
func (s *Sheet) PDF() []byte {
	var pages [][]byte
	page, y := s.page(), float64(top)
	for i, l := range s.lines {
		// A value goes on the line of its name; the name of a pair takes its value along to the next page.
		pair := i+1 < len(s.lines) && s.lines[i+1].same
		if !l.same {
			if y < bottom || pair && y-leading < bottom {
				pages, page, y = append(pages, page.Bytes()), s.page(), top
			}
			y -= leading
			if l.size == large {
				y -= leading / 2
			}
		}
		page.put(l.x, y, l.size, l.text)
		if l.rule {
			fmt.Fprintf(page, "0.5 w %d %.1f m %d %.1f l S\n", left, y-5, right, y-5)
			y -= 4
		}
	}
	return file(append(pages, page.Bytes()))
}

// canvas is the content of a page.
type canvas struct{ bytes.Buffer }

func (s *Sheet) page() *canvas {
	p := &canvas{}
	if s.Mark != "" {
		fmt.Fprintf(p, "q 0.88 g BT 0.819 0.574 -0.574 0.819 110 270 Tm %sET Q\n", runs(s.Mark, 64))
	}
	return p
}

func (p *canvas) put(x, y, size float64, text string) {
	if text != "" {
		fmt.Fprintf(p, "BT %.1f %.1f Td %sET\n", x, y, runs(text, size))
	}
}

// runs writes text in two fonts: ASCII in Helvetica, whose widths every viewer has alike, the
// rest in the Japanese one. The first leaves off where the second goes on.
func runs(text string, size float64) string {
	var b strings.Builder
	all := plain(text)
	for i := 0; i < len(all); {
		n := i
		for n < len(all) && ascii(all[n]) == ascii(all[i]) {
			n++
		}
		if ascii(all[i]) {
			escaped := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(string(all[i:n]))
			fmt.Fprintf(&b, "/F2 %.1f Tf (%s) Tj ", size, escaped)
		} else {
			fmt.Fprintf(&b, "/F1 %.1f Tf <%s> Tj ", size, coded(string(all[i:n])))
		}
		i = n
	}
	return b.String()
}

func ascii(r rune) bool { return r >= ' ' && r <= '~' }

// coded writes text as UniJIS-UTF16-H wants it. Variation selectors are left out: the
// encoding has none, and the base character is what the register's substitute rule shows too.
func coded(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode(plain(text)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return b.String()
}

func plain(text string) []rune {
	var out []rune
	for _, r := range text {
		if r < ' ' || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF {
			continue
		}
		out = append(out, r)
	}
	return out
}

// broken breaks text into parts that fit into a width; between Latin letters a line breaks at
// a space where there is one.
func broken(text string, width int, size float64) []string {
	var out []string
	runes := plain(text)
	for len(runes) > 0 {
		n, used, space := 0, 0.0, 0
		for n < len(runes) && used+advance(runes[n])*size <= float64(width) {
			used += advance(runes[n]) * size
			if runes[n] == ' ' {
				space = n + 1
			}
			n++
		}
		if n < len(runes) && space > 0 && runes[n] < 0x2000 {
			n = space
		}
		out = append(out, strings.TrimRight(string(runes[:n]), " "))
		runes = runes[n:]
	}
	if out == nil {
		return []string{""}
	}
	return out
}

// helvetica are the widths of the printable ASCII characters in thousandths of an em (Adobe
// Core 14 AFM).
var helvetica = [...]int{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// advance is a character's width in em, as the fonts of the file have it.
func advance(r rune) float64 {
	if ascii(r) {
		return float64(helvetica[r-' ']) / 1000
	}
	if r < 0x2000 {
		return 0.5
	}
	return 1
}

// file puts pages into a PDF file with two fonts and a classic cross-reference table.
func file(pages [][]byte) []byte {
	var out bytes.Buffer
	var at []int
	object := func(content string) {
		at = append(at, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", len(at), content)
	}
	out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	const before = 6 // objects before the first page
	kids := make([]string, len(pages))
	for i := range pages {
		kids[i] = fmt.Sprintf("%d 0 R", before+1+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages)))
	object("<< /Type /Font /Subtype /Type0 /BaseFont /KozGoPr6N-Medium-UniJIS-UTF16-H /Encoding /UniJIS-UTF16-H /DescendantFonts [4 0 R] >>")
	object("<< /Type /Font /Subtype /CIDFontType0 /BaseFont /KozGoPr6N-Medium /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 6 >> /FontDescriptor 5 0 R /DW 1000 /W [1 [" +
		strings.TrimSpace(strings.Repeat("500 ", 230)) + "]] >>")
	object("<< /Type /FontDescriptor /FontName /KozGoPr6N-Medium /Flags 4 /FontBBox [-538 -374 1254 1418] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 760 /StemV 99 >>")
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	for i, content := range pages {
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R /F2 6 0 R >> >> /Contents %d 0 R >>", before+2+2*i))
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%sendstream", len(content), content))
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return out.Bytes()
}
