package municipality

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// font is one of the two fonts of a sheet, by its resource name. Neither is in the file:
// every reader has some Mincho and some Gothic (ISO 32000-1 §9.7.5.2).
type font string

const (
	mincho font = "F1"
	gothic font = "F2"
)

// plain is the same font for words with a character outside Unicode's basic plane: readers
// take no codes of four octets in a ToUnicode map, and find such words by the encoding.
func (f font) plain(words string) font {
	if strings.ContainsFunc(words, func(r rune) bool { return r > 0xFFFF && !selector(r) }) {
		return f + "x"
	}
	return f
}

// A4 in points.
const (
	pageWidth  = 595.0
	pageHeight = 842.0
)

// sheet is a PDF file in the making: text in Japanese fonts, lines, and nothing else. The
// same content makes the same octets.
type sheet struct {
	pages []*bytes.Buffer
	used  map[rune]bool
}

func newSheet() *sheet { return &sheet{used: map[rune]bool{}} }

// page begins a page, with 見本 SAMPLE across it.
func (s *sheet) page() {
	s.pages = append(s.pages, &bytes.Buffer{})
	s.op(".88 g")
	s.slanted(120, 170, 190, "見本")
	s.slanted(210, 110, 120, "SAMPLE")
	s.op("0 g")
}

func (s *sheet) op(format string, args ...any) {
	fmt.Fprintf(s.pages[len(s.pages)-1], format+"\n", args...)
}

// number writes a coordinate.
func number(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".")
}

// text writes one line with its left end at x, y.
func (s *sheet) text(f font, size, x, y float64, line string) {
	s.op("BT /%s %s Tf %s %s Td <%s> Tj ET", f.plain(line), number(size), number(x), number(y), s.encode(line))
}

// slanted writes a line that rises by forty-five degrees.
func (s *sheet) slanted(x, y, size float64, line string) {
	const c = "0.7071"
	s.op("BT /%s %s Tf %s %s -%s %s %s %s Tm <%s> Tj ET", gothic, number(size), c, c, c, c, number(x), number(y), s.encode(line))
}

// centred writes a line in the middle of the page.
func (s *sheet) centred(f font, size, y float64, line string) {
	s.text(f, size, (pageWidth-size*ems(line))/2, y, line)
}

// block writes a text in lines of at most width ems and returns where the next line would stand.
func (s *sheet) block(f font, size, x, y, width float64, words string) float64 {
	for _, line := range wrap(words, width) {
		s.text(f, size, x, y, line)
		y -= size * 1.5
	}
	return y
}

// rule draws a horizontal line.
func (s *sheet) rule(x, y, length float64) {
	s.op(".5 w %s %s m %s %s l S", number(x), number(y), number(x+length), number(y))
}

// circle draws one; k is the usual handle of a quarter's curve.
func (s *sheet) circle(x, y, r float64) {
	k := r * 0.5523
	n := number
	s.op("1.2 w %s %s m", n(x+r), n(y))
	for _, c := range [][6]float64{{x + r, y + k, x + k, y + r, x, y + r}, {x - k, y + r, x - r, y + k, x - r, y}, {x - r, y - k, x - k, y - r, x, y - r}, {x + k, y - r, x + r, y - k, x + r, y}} {
		s.op("%s %s %s %s %s %s c", n(c[0]), n(c[1]), n(c[2]), n(c[3]), n(c[4]), n(c[5]))
	}
	s.op("S")
}

// encode writes text as the encoding UniJIS-UTF16-H takes it. A variation selector chooses
// among the shapes of one character, which a font that is not in the file cannot do: the
// character itself is written.
func (s *sheet) encode(words string) string {
	var b strings.Builder
	for _, r := range words {
		if selector(r) || r < ' ' {
			continue
		}
		s.used[r] = s.used[r] || r <= 0xFFFF
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, "%04X", u)
		}
	}
	return b.String()
}

func selector(r rune) bool { return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF }

// width of a character in ems.
func width(r rune) float64 {
	switch {
	case selector(r):
		return 0
	case r < 0x80:
		return .6
	case r >= 0xFF61 && r <= 0xFF9F:
		return .5
	}
	return 1
}

func ems(line string) (n float64) {
	for _, r := range line {
		n += width(r)
	}
	return n
}

// wrap breaks text into lines of at most width ems: words of Latin letters at their spaces
// where that is possible, Japanese anywhere but before a closing mark.
func wrap(words string, limit float64) (lines []string) {
	var line []rune
	n := 0.0
	for _, r := range words {
		if n+width(r) > limit && !strings.ContainsRune("、。」』）］", r) {
			cut := len(line)
			if i := lastSpace(line); i > 0 && width(r) < 1 && r != ' ' {
				cut = i + 1
			}
			lines = append(lines, strings.TrimRight(string(line[:cut]), " "))
			line = slices.Clone(line[cut:])
			n = ems(string(line))
		}
		line, n = append(line, r), n+width(r)
	}
	return append(lines, string(line))
}

// lastSpace is where the last space among Latin letters stands; -1 where none does.
func lastSpace(line []rune) int {
	for i := len(line) - 1; i > 0 && width(line[i]) < 1; i-- {
		if line[i] == ' ' {
			return i
		}
	}
	return -1
}

// file writes the PDF (ISO 32000-1 §7.5).
func (s *sheet) file(title string, at time.Time) []byte {
	const firstPage = 12
	var kids strings.Builder
	for i := range s.pages {
		fmt.Fprintf(&kids, "%d 0 R ", firstPage+2*i)
	}
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R/Lang(ja)>>",
		fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 %s %s]/Resources<</Font<</F1 3 0 R/F2 6 0 R/F1x 10 0 R/F2x 11 0 R>>>>>>", len(s.pages), strings.TrimSpace(kids.String()), number(pageWidth), number(pageHeight)),
	}
	const shown = "<</Type/Font/Subtype/Type0/BaseFont/%s-UniJIS-UTF16-H/Encoding/UniJIS-UTF16-H/DescendantFonts[%d 0 R]%s>>"
	names := []string{"HeiseiMin-W3", "HeiseiKakuGo-W5"}
	for i, name := range names {
		first := 3 + 3*i
		objects = append(objects,
			fmt.Sprintf(shown, name, first+1, "/ToUnicode 9 0 R"),
			fmt.Sprintf("<</Type/Font/Subtype/CIDFontType0/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 6>>/FontDescriptor %d 0 R/DW 1000/W[1 94 600 231 632 500]>>", name, first+2),
			fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[-123 -257 1001 910]/ItalicAngle 0/Ascent 723/Descent -241/CapHeight 709/StemV 69>>", name))
	}
	objects = append(objects, stream(s.toUnicode()), fmt.Sprintf(shown, names[0], 4, ""), fmt.Sprintf(shown, names[1], 7, ""))
	for i, p := range s.pages {
		objects = append(objects, fmt.Sprintf("<</Type/Page/Parent 2 0 R/Contents %d 0 R>>", firstPage+2*i+1), stream(p.String()))
	}
	objects = append(objects, fmt.Sprintf("<</Title<%s>/Producer(Warifu sandbox)/CreationDate(D:%s+09'00')>>", utf16Hex("\ufeff"+title), at.Format("20060102150405")))
	return assemble(objects)
}

func stream(content string) string {
	return fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content)
}

func utf16Hex(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// toUnicode maps every code of two octets to itself: the codes are UTF-16 (§9.10.3). Without it a
// reader that knows no Japanese encodings could show the text and not find it.
func (s *sheet) toUnicode() string {
	var codes []string
	for r, mapped := range s.used {
		if mapped {
			codes = append(codes, utf16Hex(string(r)))
		}
	}
	slices.Sort(codes)
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for part := range slices.Chunk(codes, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(part))
		for _, c := range part {
			fmt.Fprintf(&b, "<%s> <%s>\n", c, c)
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend")
	return b.String()
}

// assemble numbers the objects from 1 and writes the table that finds them; the last is the
// file's information.
func assemble(objects []string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	id := sha256.Sum256(b.Bytes())
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R/Info %d 0 R/ID[<%X><%X>]>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, len(objects), id[:16], id[:16], table)
	return b.Bytes()
}
