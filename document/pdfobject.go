package document

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// The objects of ISO 32000-1 §7.3. Null is nil, booleans are bool, integers int64.
type (
	pdfObject any
	pdfReal   string // as it was written
	pdfName   string // decoded, without the solidus
	pdfArray  []pdfObject
	pdfDict   map[pdfName]pdfObject
	pdfRef    struct{ number, generation int }
	// pdfString is a string with where it stands in the file, brackets included.
	pdfString struct {
		octets  []byte
		at, end int
		hex     bool
	}
	// pdfStream is a dictionary with the octets as they stand in the file, encoded.
	pdfStream struct {
		dict pdfDict
		raw  []byte
	}
)

const (
	maxPDFDepth = 64
	maxPDFItems = 1 << 20 // in one array or dictionary
)

// scanner reads objects off the octets of a file. Its errors are sentences without a
// subject; the caller says of which document.
type scanner struct {
	in []byte
	at int
}

func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("%s at octet %d", fmt.Sprintf(format, args...), s.at)
}

func isSpace(b byte) bool {
	return b == 0 || b == '\t' || b == '\n' || b == '\f' || b == '\r' || b == ' '
}

func isDelimiter(b byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), b) >= 0 }

// skip passes white space and comments.
func (s *scanner) skip() {
	for s.at < len(s.in) {
		switch {
		case isSpace(s.in[s.at]):
			s.at++
		case s.in[s.at] == '%':
			for s.at < len(s.in) && s.in[s.at] != '\n' && s.in[s.at] != '\r' {
				s.at++
			}
		default:
			return
		}
	}
}

// word returns the regular characters that come next.
func (s *scanner) word() string {
	s.skip()
	from := s.at
	for s.at < len(s.in) && !isSpace(s.in[s.at]) && !isDelimiter(s.in[s.at]) {
		s.at++
	}
	return string(s.in[from:s.at])
}

// keyword passes the word wanted and nothing else.
func (s *scanner) keyword(want string) bool {
	back := s.at
	if s.word() == want {
		return true
	}
	s.at = back
	return false
}

// integer reads a non-negative decimal number.
func (s *scanner) integer() (int, bool) {
	back := s.at
	w := s.word()
	n, err := strconv.ParseInt(w, 10, 48)
	if err != nil || n < 0 || w[0] == '+' {
		s.at = back
		return 0, false
	}
	return int(n), true
}

func (s *scanner) object(depth int) (pdfObject, error) {
	if depth > maxPDFDepth {
		return nil, s.errorf("nested too deeply")
	}
	s.skip()
	if s.at >= len(s.in) {
		return nil, s.errorf("the file ends")
	}
	switch c := s.in[s.at]; {
	case c == '/':
		return s.name()
	case c == '(':
		return s.literal()
	case c == '<' && s.at+1 < len(s.in) && s.in[s.at+1] == '<':
		return s.dict(depth)
	case c == '<':
		return s.hexadecimal()
	case c == '[':
		return s.array(depth)
	case c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		return s.number()
	}
	switch w := s.word(); w {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	default:
		return nil, s.errorf("%.20q is no object", w)
	}
}

// number reads an integer, a real, or, where three words say so, a reference.
func (s *scanner) number() (pdfObject, error) {
	w := s.word()
	n, err := strconv.ParseInt(w, 10, 64)
	if err != nil {
		if _, err := strconv.ParseFloat(w, 64); err != nil || bytes.ContainsAny([]byte(w), "eExXpP_nN") {
			return nil, s.errorf("%.20q is no number", w)
		}
		return pdfReal(w), nil
	}
	back := s.at
	if generation, ok := s.integer(); ok && n > 0 && n < maxPDFItems && generation < 1<<16 && s.keyword("R") {
		return pdfRef{int(n), generation}, nil
	}
	s.at = back
	return n, nil
}

func (s *scanner) name() (pdfObject, error) {
	s.at++
	from := s.at
	var out []byte
	for s.at < len(s.in) && !isSpace(s.in[s.at]) && !isDelimiter(s.in[s.at]) {
		c := s.in[s.at]
		if c == '#' {
			var one [1]byte
			if s.at+2 >= len(s.in) {
				return nil, s.errorf("a name is cut")
			}
			if _, err := hex.Decode(one[:], s.in[s.at+1:s.at+3]); err != nil {
				return nil, s.errorf("a name is malformed")
			}
			c, s.at = one[0], s.at+2
		}
		out = append(out, c)
		s.at++
	}
	if s.at-from > 512 {
		return nil, s.errorf("a name is too long")
	}
	return pdfName(out), nil
}

// literal reads a string in parentheses (§7.3.4.2).
func (s *scanner) literal() (pdfObject, error) {
	out := pdfString{at: s.at}
	open := 0
	for s.at < len(s.in) {
		c := s.in[s.at]
		s.at++
		switch c {
		case '(':
			if open++; open > 1 {
				out.octets = append(out.octets, c)
			}
		case ')':
			if open--; open == 0 {
				out.end = s.at
				return out, nil
			}
			out.octets = append(out.octets, c)
		case '\\':
			out.octets = s.escape(out.octets)
		case '\r':
			if s.at < len(s.in) && s.in[s.at] == '\n' {
				s.at++
			}
			out.octets = append(out.octets, '\n')
		default:
			out.octets = append(out.octets, c)
		}
	}
	return nil, s.errorf("a string has no end")
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}

// escape reads what follows a reverse solidus.
func (s *scanner) escape(out []byte) []byte {
	if s.at >= len(s.in) {
		return out
	}
	c := s.in[s.at]
	s.at++
	switch {
	case c >= '0' && c <= '7':
		v := c - '0'
		for n := 0; n < 2 && s.at < len(s.in) && s.in[s.at] >= '0' && s.in[s.at] <= '7'; n++ {
			v = v<<3 | (s.in[s.at] - '0')
			s.at++
		}
		return append(out, v)
	case c == '\r':
		if s.at < len(s.in) && s.in[s.at] == '\n' {
			s.at++
		}
		return out
	case c == '\n':
		return out
	case escapes[c] != 0:
		return append(out, escapes[c])
	}
	return append(out, c)
}

func (s *scanner) hexadecimal() (pdfObject, error) {
	out := pdfString{at: s.at, hex: true}
	length := bytes.IndexByte(s.in[s.at:], '>')
	if length < 0 {
		return nil, s.errorf("a string has no end")
	}
	digits := bytes.Join(bytes.Fields(s.in[s.at+1:s.at+length]), nil)
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	out.octets = make([]byte, len(digits)/2)
	if _, err := hex.Decode(out.octets, digits); err != nil {
		return nil, s.errorf("a string is not hexadecimal")
	}
	s.at += length + 1
	out.end = s.at
	return out, nil
}

func (s *scanner) array(depth int) (pdfObject, error) {
	s.at++
	out := pdfArray{}
	for {
		s.skip()
		if s.at < len(s.in) && s.in[s.at] == ']' {
			s.at++
			return out, nil
		}
		o, err := s.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if out = append(out, o); len(out) > maxPDFItems {
			return nil, s.errorf("an array is too long")
		}
	}
}

// dict reads a dictionary. The same key twice is refused: readers disagree about which
// of the two counts.
func (s *scanner) dict(depth int) (pdfObject, error) {
	s.at += 2
	out := pdfDict{}
	for {
		s.skip()
		if bytes.HasPrefix(s.in[s.at:], []byte(">>")) {
			s.at += 2
			return out, nil
		}
		if s.at >= len(s.in) || s.in[s.at] != '/' {
			return nil, s.errorf("a dictionary's key is no name")
		}
		key, err := s.name()
		if err != nil {
			return nil, err
		}
		name := key.(pdfName)
		if _, twice := out[name]; twice {
			return nil, s.errorf("/%s stands twice in a dictionary", name)
		}
		if out[name], err = s.object(depth + 1); err != nil {
			return nil, err
		}
		if len(out) > maxPDFItems {
			return nil, s.errorf("a dictionary is too long")
		}
	}
}

// write writes an object as this package puts it down: names escaped, strings in
// hexadecimal, keys in order.
func write(b *bytes.Buffer, o pdfObject) {
	switch o := o.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		fmt.Fprintf(b, "%t", o)
	case int64, int:
		fmt.Fprintf(b, "%d", o)
	case pdfReal:
		b.WriteString(string(o))
	case pdfName:
		writeName(b, o)
	case pdfRef:
		fmt.Fprintf(b, "%d %d R", o.number, o.generation)
	case pdfString:
		fmt.Fprintf(b, "<%x>", o.octets)
	case pdfArray:
		b.WriteByte('[')
		for i, e := range o {
			if i > 0 {
				b.WriteByte(' ')
			}
			write(b, e)
		}
		b.WriteByte(']')
	case pdfDict:
		b.WriteString("<<")
		for _, k := range slices.Sorted(maps.Keys(o)) {
			writeName(b, k)
			b.WriteByte(' ')
			write(b, o[k])
		}
		b.WriteString(">>")
	case pdfStream:
		write(b, o.dict)
		b.WriteString("\nstream\n")
		b.Write(o.raw)
		b.WriteString("\nendstream")
	case verbatim:
		b.WriteString(string(o))
	}
}

// verbatim is what this package writes and never reads: room to be filled in later.
type verbatim string

func writeName(b *bytes.Buffer, n pdfName) {
	b.WriteByte('/')
	for _, c := range []byte(n) {
		if c <= ' ' || c > '~' || c == '#' || isDelimiter(c) {
			fmt.Fprintf(b, "#%02X", c)
			continue
		}
		b.WriteByte(c)
	}
}
