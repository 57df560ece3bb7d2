package document

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// canonical writes the document in Exclusive XML Canonicalization 1.0 without comments,
// leaving out one element: what a reference with an empty URI and the transforms
// enveloped-signature and exclusive canonicalization digests.
func (t *xmlTree) canonical(without *element) []byte {
	c := canonicalizer{without: without}
	for _, i := range t.before {
		c.instruction(i)
		c.out.WriteByte('\n')
	}
	c.element(t.root, map[string]string{})
	for _, i := range t.after {
		c.out.WriteByte('\n')
		c.instruction(i)
	}
	return c.out.Bytes()
}

// canonical writes the element as a document of its own.
func (e *element) canonical() []byte {
	c := canonicalizer{}
	c.element(e, map[string]string{})
	return c.out.Bytes()
}

type canonicalizer struct {
	out     bytes.Buffer
	without *element
}

// element writes one element; rendered holds the namespaces in force in the output.
func (c *canonicalizer) element(e *element, rendered map[string]string) {
	if e == c.without {
		return
	}
	name := qualified(e.prefix, e.local)
	c.out.WriteString("<" + name)
	for _, n := range e.needed(rendered) {
		if rendered[n.prefix] == n.value { // written by an element above
			continue
		}
		rendered = with(rendered, n.prefix, n.value)
		c.out.WriteString(" " + strings.TrimSuffix(qualified("xmlns", n.prefix), ":") + `="`)
		c.value(n.value)
		c.out.WriteByte('"')
	}
	for _, a := range e.plain() {
		c.out.WriteString(" " + qualified(a.prefix, a.local) + `="`)
		c.value(a.value)
		c.out.WriteByte('"')
	}
	c.out.WriteByte('>')
	for _, child := range e.children {
		switch child := child.(type) {
		case *element:
			c.element(child, rendered)
		case string:
			c.text(child)
		case instruction:
			c.instruction(child)
		}
	}
	c.out.WriteString("</" + name + ">")
}

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

func with(m map[string]string, key, value string) map[string]string {
	out := make(map[string]string, len(m)+1)
	for k, v := range m {
		out[k] = v
	}
	out[key] = value
	return out
}

// namespace is a prefix with what it stands for.
type namespace struct{ prefix, value string }

// needed returns the namespaces that the element itself or one of its attributes uses
// ("visibly utilizes"), by prefix. The absence of a default namespace is written only
// where one is in force.
func (e *element) needed(rendered map[string]string) (out []namespace) {
	prefixes := []string{e.prefix}
	for _, a := range e.plain() {
		if a.prefix != "" {
			prefixes = append(prefixes, a.prefix)
		}
	}
	slices.Sort(prefixes)
	for _, p := range slices.Compact(prefixes) {
		value, _ := e.space(p)
		if p == "xml" || p == "" && value == "" && rendered[""] == "" {
			continue
		}
		out = append(out, namespace{p, value})
	}
	return out
}

// plain returns the attributes that declare no namespace, in canonical order: by
// namespace, then by name; those without a namespace first.
func (e *element) plain() (out []attribute) {
	for _, a := range e.attributes {
		if a.prefix != "xmlns" && !(a.prefix == "" && a.local == "xmlns") {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b attribute) int {
		return cmp.Or(strings.Compare(e.spaceOf(a), e.spaceOf(b)), strings.Compare(a.local, b.local))
	})
	return out
}

func (e *element) spaceOf(a attribute) string {
	if a.prefix == "" {
		return ""
	}
	space, _ := e.space(a.prefix)
	return space
}

var (
	textEscapes  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	valueEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

func (c *canonicalizer) text(s string)  { c.out.WriteString(textEscapes.Replace(s)) }
func (c *canonicalizer) value(s string) { c.out.WriteString(valueEscapes.Replace(s)) }

func (c *canonicalizer) instruction(i instruction) {
	c.out.WriteString("<?" + i.target)
	if i.data != "" {
		c.out.WriteString(" " + strings.ReplaceAll(i.data, "\r", "&#xD;"))
	}
	c.out.WriteString("?>")
}
