package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// MaxXML bounds an XML document in octets.
	MaxXML = 16 << 20

	maxXMLDepth    = 128
	maxXMLElements = 1 << 18
	xmlSpace       = "http://www.w3.org/XML/1998/namespace"
)

// element is an element with its place in the file. Children are *element, string (text)
// and instruction; comments are not kept, since no signature here covers them.
type element struct {
	parent     *element
	prefix     string
	local      string
	attributes []attribute // as they stand, namespace declarations included
	children   []any
	close      int // offset of its end tag's <, or of the /> of an empty element
	empty      bool
}

type attribute struct{ prefix, local, value string }

// instruction is a processing instruction.
type instruction struct{ target, data string }

// xmlTree is a document: what stands before the root, the root, and what stands behind.
type xmlTree struct {
	before, after []instruction
	root          *element
}

// parseXML reads a document of UTF-8 without a document type: entities and defaults of
// attributes would let a document mean something else elsewhere.
func parseXML(in []byte) (*xmlTree, error) {
	if bytes.HasPrefix(in, []byte("\xef\xbb\xbf")) {
		return nil, errors.New("it begins with a byte order mark")
	}
	p := &xmlParser{in: in, decoder: xml.NewDecoder(bytes.NewReader(in))}
	for {
		from := int(p.decoder.InputOffset())
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := p.take(token, from, int(p.decoder.InputOffset())); err != nil {
			return nil, err
		}
	}
	if p.tree.root == nil || p.at != nil {
		return nil, errors.New("it has no root, or its root has no end")
	}
	return &p.tree, nil
}

type xmlParser struct {
	in       []byte
	decoder  *xml.Decoder
	tree     xmlTree
	at       *element // the open one
	depth    int
	elements int
}

func (p *xmlParser) take(token xml.Token, from, to int) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t, from, to)
	case xml.EndElement:
		if p.at == nil || p.at.prefix != t.Name.Space || p.at.local != t.Name.Local {
			return fmt.Errorf("</%s> closes nothing", t.Name.Local)
		}
		// An empty element's end is made up by the decoder, at the place where it is.
		p.at.empty = from == to
		p.at.close = from
		if p.at.empty {
			p.at.close = to - len("/>")
		}
		p.at = p.at.parent
		p.depth--
	case xml.CharData:
		if p.at != nil {
			p.at.children = append(p.at.children, string(t))
		} else if len(bytes.TrimSpace(t)) > 0 {
			return errors.New("text stands outside the root")
		}
	case xml.ProcInst:
		p.instruction(t)
	case xml.Directive:
		return errors.New("it has a document type, which is not read")
	}
	return nil
}

func (p *xmlParser) instruction(t xml.ProcInst) {
	i := instruction{t.Target, string(t.Inst)}
	switch {
	case t.Target == "xml": // the declaration; the decoder has looked at its encoding
	case p.at != nil:
		p.at.children = append(p.at.children, i)
	case p.tree.root == nil:
		p.tree.before = append(p.tree.before, i)
	default:
		p.tree.after = append(p.tree.after, i)
	}
}

func (p *xmlParser) start(t xml.StartElement, from, to int) error {
	e := &element{parent: p.at, prefix: t.Name.Space, local: t.Name.Local}
	if p.depth++; p.depth > maxXMLDepth {
		return errors.New("nested too deeply")
	}
	if p.elements++; p.elements > maxXMLElements {
		return errors.New("it has too many elements")
	}
	switch {
	case p.at != nil:
		p.at.children = append(p.at.children, e)
	case p.tree.root == nil:
		p.tree.root = e
	default:
		return errors.New("it has two roots")
	}
	if brokenInQuotes(p.in[from:to]) {
		return fmt.Errorf("an attribute of <%s> has a line break or tab in it", e.local)
	}
	for _, a := range t.Attr {
		e.attributes = append(e.attributes, attribute{a.Name.Space, a.Name.Local, a.Value})
	}
	p.at = e
	return e.checkNames()
}

// brokenInQuotes reports whether a value in a tag has white space other than blanks as
// it stands. XML wants it read as blanks (§3.3.3), and the decoder does not do that.
func brokenInQuotes(tag []byte) bool {
	var quote byte
	for _, c := range tag {
		switch {
		case quote != 0 && (c == '\n' || c == '\r' || c == '\t'):
			return true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return false
}

// checkNames wants every prefix declared and no attribute twice, by name and by
// namespace (Namespaces in XML 1.0 §5, §6.3).
func (e *element) checkNames() error {
	names := append([]attribute{{prefix: e.prefix, local: e.local}}, e.attributes...)
	seen := map[string]bool{}
	for i, a := range names {
		if a.local == "" || strings.Contains(a.local, ":") {
			return fmt.Errorf("%q is no name", a.prefix+":"+a.local)
		}
		if a.prefix == "xmlns" && (a.value == "" || a.local == "xmlns" || a.local == "xml" && a.value != xmlSpace) {
			return fmt.Errorf("the prefix %q cannot be declared so", a.local)
		}
		space := ""
		if a.prefix != "" && a.prefix != "xmlns" {
			var ok bool
			if space, ok = e.space(a.prefix); !ok {
				return fmt.Errorf("the prefix %q is not declared", a.prefix)
			}
		}
		key := space + " " + a.local
		if a.prefix == "xmlns" || a.prefix == "" && a.local == "xmlns" {
			key = "xmlns:" + a.local
		}
		if i > 0 && seen[key] {
			return fmt.Errorf("the attribute %q stands twice", a.local)
		}
		seen[key] = i > 0
	}
	return nil
}

// space returns the namespace that a prefix stands for at this element; that of "" may
// be none.
func (e *element) space(prefix string) (string, bool) {
	if prefix == "xml" {
		return xmlSpace, true
	}
	for at := e; at != nil; at = at.parent {
		for _, a := range at.attributes {
			if prefix != "" && a.prefix == "xmlns" && a.local == prefix || prefix == "" && a.prefix == "" && a.local == "xmlns" {
				return a.value, true
			}
		}
	}
	return "", prefix == ""
}

// is reports whether the element has that namespace and name.
func (e *element) is(space, local string) bool {
	own, ok := e.space(e.prefix)
	return ok && own == space && e.local == local
}

// value returns an attribute without a prefix.
func (e *element) value(local string) string {
	for _, a := range e.attributes {
		if a.prefix == "" && a.local == local {
			return a.value
		}
	}
	return ""
}

// elements returns the children that are elements; false where text stands between them.
func (e *element) elements() (out []*element, only bool) {
	only = true
	for _, c := range e.children {
		switch c := c.(type) {
		case *element:
			out = append(out, c)
		case string:
			only = only && strings.TrimSpace(c) == ""
		default:
			only = false
		}
	}
	return out, only
}

// text returns the text of an element that has nothing else in it.
func (e *element) text() (string, bool) {
	var b strings.Builder
	for _, c := range e.children {
		s, ok := c.(string)
		if !ok {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// walk visits the element and everything under it.
func (e *element) walk(visit func(*element)) {
	visit(e)
	for _, c := range e.children {
		if c, ok := c.(*element); ok {
			c.walk(visit)
		}
	}
}
