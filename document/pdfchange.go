package document

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// maxPDFNamed bounds how many changes are named.
const maxPDFNamed = 32

// comparison walks a signed revision and the file as it is now side by side, from the
// catalogue down, and names what differs. Objects that nothing refers to do not count;
// an object that was missing and was referred to already does.
type comparison struct {
	file      *pdfFile
	from      int // the signed revision
	seen      map[pdfRef]bool
	added     map[pdfRef]string // signature fields that are new and show nothing, by what they are
	changes   []string
	additions []string
}

// compare returns what became different after the revision from, and what was only added.
func (f *pdfFile) compare(from int) (changes, additions []string, err error) {
	c := &comparison{file: f, from: from, seen: map[pdfRef]bool{}, added: map[pdfRef]string{}}
	if err := c.newFields(); err != nil {
		return nil, nil, err
	}
	then, now := f.sections[from].trailer, f.sections[0].trailer
	if then["Root"] != now["Root"] {
		c.changed("the catalogue")
	}
	if err := c.object("document information", then["Info"], now["Info"], 0); err != nil {
		return nil, nil, err
	}
	a, err := f.root(from)
	if err != nil {
		return nil, nil, err
	}
	b, err := f.root(0)
	if err != nil {
		return nil, nil, err
	}
	if err := c.catalogue(a, b); err != nil {
		return nil, nil, err
	}
	return c.changes, c.additions, nil
}

func (c *comparison) changed(what string) {
	if len(c.changes) < maxPDFNamed && !slices.Contains(c.changes, what) {
		c.changes = append(c.changes, what)
	}
}

// newFields finds the signature fields that were not there before. One whose widget
// has no area shows nothing.
func (c *comparison) newFields() error {
	then, err := c.file.fields(c.from)
	if err != nil {
		return err
	}
	now, err := c.file.fields(0)
	if err != nil {
		return err
	}
	for _, d := range now {
		old := slices.ContainsFunc(then, func(t field) bool { return t.ref == d.ref })
		if e, known := c.file.entryIn(d.ref.number, c.from); old || known && !e.free || !showsNothing(d.dict) {
			continue
		}
		what := "signature " + d.name
		if d.value["SubFilter"] == pdfName("ETSI.RFC3161") {
			what = "time-stamp " + d.name
		}
		c.added[d.ref] = what
		c.additions = append(c.additions, what)
	}
	return nil
}

// showsNothing reports whether a field's widget covers no area and does nothing.
func showsNothing(d pdfDict) bool {
	rect, ok := d["Rect"].(pdfArray)
	if !ok || len(rect) != 4 {
		return false
	}
	for i, o := range rect {
		if n, ok := o.(int64); !ok || n != rect[i%2] {
			return false
		}
	}
	for _, active := range []pdfName{"A", "AA", "Kids", "Parent"} {
		if d[active] != nil {
			return false
		}
	}
	return true
}

// catalogue compares the two catalogues: DSS and Extensions may come, the form may get
// fields that show nothing.
func (c *comparison) catalogue(a, b pdfDict) error {
	if !equalNames(a["DSS"], b["DSS"]) {
		c.additions = append(c.additions, "certificates and status for later checks")
	}
	for _, k := range keysOf(a, b) {
		switch k {
		case "DSS", "Extensions":
			continue
		case "AcroForm":
			x, err := c.file.dictOf(a[k], c.from)
			if err != nil {
				return err
			}
			y, err := c.file.dictOf(b[k], 0)
			if err != nil {
				return err
			}
			if err := c.form(x, y); err != nil {
				return err
			}
		default:
			if err := c.object("/"+string(k), a[k], b[k], 1); err != nil {
				return err
			}
		}
	}
	return nil
}

func equalNames(a, b pdfObject) bool {
	x, isRef := a.(pdfRef)
	y, isRef2 := b.(pdfRef)
	return a == nil && b == nil || isRef && isRef2 && x == y
}

func (c *comparison) form(a, b pdfDict) error {
	for _, k := range keysOf(a, b) {
		switch k {
		case "SigFlags":
		case "Fields":
			if err := c.list("/AcroForm/Fields", a[k], b[k], 2); err != nil {
				return err
			}
		default:
			if err := c.object("/AcroForm/"+string(k), a[k], b[k], 2); err != nil {
				return err
			}
		}
	}
	return nil
}

// list compares two arrays of which the second may go on with fields that were added.
func (c *comparison) list(path string, a, b pdfObject, depth int) error {
	x, err := c.file.arrayOf(a, c.from)
	if err != nil {
		return err
	}
	y, err := c.file.arrayOf(b, 0)
	if err != nil {
		return err
	}
	if len(y) < len(x) {
		c.changed(path)
		return nil
	}
	for i := range y {
		if i >= len(x) {
			ref, _ := y[i].(pdfRef)
			if c.added[ref] == "" {
				c.changed(path)
			}
			continue
		}
		if err := c.object(path, x[i], y[i], depth+1); err != nil {
			return err
		}
	}
	return nil
}

// object compares two values of one place. A reference must stay the same reference,
// whose object is then compared once.
func (c *comparison) object(path string, a, b pdfObject, depth int) error {
	if depth > maxPDFDepth*8 {
		return errors.New("nested too deeply")
	}
	x, isRef := a.(pdfRef)
	y, isRef2 := b.(pdfRef)
	if isRef != isRef2 || x != y {
		c.changed(path)
		return nil
	}
	if isRef {
		if c.seen[x] {
			return nil
		}
		if len(c.seen) > maxPDFObjects {
			return errors.New("it has too many objects")
		}
		c.seen[x] = true
		var err error
		if a, err = c.file.resolve(a, c.from); err != nil {
			return err
		}
		if b, err = c.file.resolve(b, 0); err != nil {
			return err
		}
		path = fmt.Sprintf("%s (object %d)", lastOf(path), x.number)
	}
	return c.value(path, a, b, depth)
}

func (c *comparison) value(path string, a, b pdfObject, depth int) error {
	switch x := a.(type) {
	case pdfDict:
		y, ok := b.(pdfDict)
		if !ok {
			c.changed(path)
			return nil
		}
		return c.dict(path, x, y, depth)
	case pdfArray:
		y, ok := b.(pdfArray)
		if !ok || len(x) != len(y) {
			c.changed(path)
			return nil
		}
		for i := range x {
			if err := c.object(path, x[i], y[i], depth+1); err != nil {
				return err
			}
		}
	case pdfStream:
		y, ok := b.(pdfStream)
		if !ok || !bytes.Equal(x.raw, y.raw) {
			c.changed(path)
			return nil
		}
		return c.dict(path, x.dict, y.dict, depth)
	case pdfString:
		y, ok := b.(pdfString)
		if !ok || !bytes.Equal(x.octets, y.octets) {
			c.changed(path)
		}
	default:
		// What cannot be compared with == (dictionaries, arrays) never equals a plain value.
		switch b.(type) {
		case pdfDict, pdfArray, pdfStream, pdfString:
			c.changed(path)
		default:
			if a != b {
				c.changed(path)
			}
		}
	}
	return nil
}

func (c *comparison) dict(path string, a, b pdfDict, depth int) error {
	page := a["Type"] == pdfName("Page") && b["Type"] == pdfName("Page")
	for _, k := range keysOf(a, b) {
		at := path + "/" + string(k)
		if page && k == "Annots" {
			if err := c.list(at, a[k], b[k], depth+1); err != nil {
				return err
			}
			continue
		}
		if err := c.object(at, a[k], b[k], depth+1); err != nil {
			return err
		}
	}
	return nil
}

// lastOf keeps paths readable: the page tree would make them as long as itself.
func lastOf(path string) string {
	if len(path) > 60 {
		return "…" + path[len(path)-57:]
	}
	return path
}

func keysOf(a, b pdfDict) []pdfName {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
