package document

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"warifu"
)

// maxPDFSignatures bounds the signatures of a file.
const maxPDFSignatures = 64

// PDF is what a file says of its signatures. Nothing of it is to be believed before the
// signatures were checked (package verify).
type PDF struct {
	Signatures []PDFSignature // as the form lists them
	DSS        DSS            // what the file carries for later checks; unverified
}

// PDFSignature is one signature of a PDF file.
type PDFSignature struct {
	Field  string // the field's name
	Filter string // the SubFilter: "ETSI.CAdES.detached", "adbe.pkcs7.detached", "ETSI.RFC3161"
	// CMS is the DER of the signature, or of the time-stamp token, without the zeros behind it.
	CMS []byte
	// Digest is SHA-256 of the two ranges that are signed: everything up to the revision's
	// end but the signature itself.
	Digest [sha256.Size]byte
	// Whole says that nothing follows the signed revision.
	Whole bool
	// Changes names what a later revision changed in what people see or in how they see it;
	// Additions what it added without touching that: certificates and status for later
	// checks, time-stamps, further signatures that show nothing.
	Changes, Additions []string
}

// IsTimestamp reports whether it is a document time-stamp (ISO 32000-2 §12.8.5).
func (s PDFSignature) IsTimestamp() bool { return s.Filter == "ETSI.RFC3161" }

// DSS is the document security store (ISO 32000-2 §12.8.4.3): DER each.
type DSS struct{ Certificates, OCSP, CRL [][]byte }

// ReadPDF finds the signatures of a file, checks that each covers its revision from the
// first octet to the last but for itself, and compares every signed revision with the file
// as it is now. Errors: Invalid "pdf-malformed" with parameter "what", Refused
// "pdf-not-covered" for a signature that leaves anything out, TooLarge "pdf-too-large".
func ReadPDF(in []byte) (*PDF, error) {
	if len(in) > MaxPDF {
		return nil, warifu.TooLarge("pdf-too-large")
	}
	f, err := openPDF(in)
	if err != nil {
		return nil, malformedPDF(err)
	}
	fields, err := f.fields(0)
	if err != nil {
		return nil, malformedPDF(err)
	}
	out := &PDF{}
	for _, field := range fields {
		if field.value == nil {
			continue // an empty field
		}
		if len(out.Signatures) == maxPDFSignatures {
			return nil, malformedPDF(errors.New("it has too many signatures"))
		}
		one, err := f.signature(field)
		if err != nil {
			return nil, err
		}
		out.Signatures = append(out.Signatures, one)
	}
	if out.DSS, err = f.dss(); err != nil {
		return nil, malformedPDF(err)
	}
	return out, nil
}

func malformedPDF(err error) error {
	return warifu.Invalid("pdf-malformed", "what", err.Error())
}

// field is a signature field of a revision.
type field struct {
	name  string
	ref   pdfRef
	dict  pdfDict
	value pdfDict
}

// root returns the catalogue of a revision.
func (f *pdfFile) root(from int) (pdfDict, error) {
	o, err := f.resolve(f.sections[from].trailer["Root"], from)
	if err != nil {
		return nil, err
	}
	root, ok := o.(pdfDict)
	if !ok || root["Type"] != pdfName("Catalog") {
		return nil, errors.New("it has no catalogue")
	}
	return root, nil
}

// dictOf resolves to a dictionary, nil where there is none.
func (f *pdfFile) dictOf(o pdfObject, from int) (pdfDict, error) {
	o, err := f.resolve(o, from)
	d, _ := o.(pdfDict)
	return d, err
}

func (f *pdfFile) arrayOf(o pdfObject, from int) (pdfArray, error) {
	o, err := f.resolve(o, from)
	a, _ := o.(pdfArray)
	return a, err
}

// fields returns the signature fields of a revision in the order of its form.
func (f *pdfFile) fields(from int) ([]field, error) {
	root, err := f.root(from)
	if err != nil {
		return nil, err
	}
	form, err := f.dictOf(root["AcroForm"], from)
	if err != nil || form == nil {
		return nil, err
	}
	list, err := f.arrayOf(form["Fields"], from)
	if err != nil {
		return nil, err
	}
	var out []field
	seen := map[pdfRef]bool{}
	return out, f.walkFields(list, from, "", "", seen, &out)
}

// walkFields descends into a form's fields; kind is the FT they inherit.
func (f *pdfFile) walkFields(list pdfArray, from int, prefix string, kind pdfName, seen map[pdfRef]bool, out *[]field) error {
	for _, o := range list {
		ref, ok := o.(pdfRef)
		if !ok {
			return errors.New("a form's field is no reference")
		}
		if seen[ref] || len(seen) > maxPDFObjects/16 {
			return errors.New("its form runs in a circle")
		}
		seen[ref] = true
		dict, err := f.dictOf(ref, from)
		if err != nil {
			return err
		}
		name, own := prefix, kind
		if t, ok := dict["T"].(pdfString); ok {
			name += string(t.octets)
		}
		if ft, ok := dict["FT"].(pdfName); ok {
			own = ft
		}
		kids, err := f.arrayOf(dict["Kids"], from)
		if err != nil {
			return err
		}
		if own == "Sig" && (dict["V"] != nil || kids == nil) {
			value, err := f.dictOf(dict["V"], from)
			if err != nil {
				return err
			}
			*out = append(*out, field{name, ref, dict, value})
			continue
		}
		if err := f.walkFields(kids, from, name+".", own, seen, out); err != nil {
			return err
		}
	}
	return nil
}

// signature reads one signature and holds its range against the file's structure.
func (f *pdfFile) signature(d field) (PDFSignature, error) {
	filter, _ := d.value["SubFilter"].(pdfName)
	out := PDFSignature{Field: d.name, Filter: string(filter)}
	uncovered := func(why string) error { return warifu.Refused("pdf-not-covered", "field", d.name, "why", why) }
	contents, ok := d.value["Contents"].(pdfString)
	ranges, isRange := d.value["ByteRange"].(pdfArray)
	if !ok || !contents.hex || !isRange || len(ranges) != 4 {
		return out, uncovered("no ByteRange or Contents")
	}
	var r [4]int
	for i, o := range ranges {
		n, ok := o.(int64)
		if !ok || n < 0 || n > int64(len(f.in)) {
			return out, uncovered("ByteRange")
		}
		r[i] = int(n)
	}
	end := r[2] + r[3]
	// The gap must be the very octets this signature's own Contents was read from: then
	// whatever else the file says lies inside what is signed.
	if r[0] != 0 || end > len(f.in) || r[1] != contents.at || r[2] != contents.end ||
		f.in[r[1]] != '<' || bytes.ContainsAny(f.in[r[1]+1:r[2]-1], " \t\r\n\f\x00<>") {
		return out, uncovered("ByteRange")
	}
	from, err := f.revision(end)
	if err != nil {
		return out, uncovered(err.Error())
	}
	h := sha256.New()
	h.Write(f.in[:r[1]])
	h.Write(f.in[r[2]:end])
	out.Digest = [sha256.Size]byte(h.Sum(nil))
	if out.CMS, err = trimmed(contents.octets); err != nil {
		return out, malformedPDF(err)
	}
	out.Whole = end == len(f.in)
	if out.Whole && from != 0 {
		return out, uncovered("a cross-reference section behind the end")
	}
	if !out.Whole {
		out.Changes, out.Additions, err = f.compare(from)
		if err != nil {
			return out, malformedPDF(err)
		}
	}
	return out, f.inRevision(d, from)
}

// inRevision checks that the field stood in the signed revision with this very value.
func (f *pdfFile) inRevision(d field, from int) error {
	fields, err := f.fields(from)
	if err != nil {
		return malformedPDF(err)
	}
	for _, then := range fields {
		if then.ref == d.ref && then.value != nil {
			a, _ := then.value["Contents"].(pdfString)
			b, _ := d.value["Contents"].(pdfString)
			if a.at == b.at {
				return nil
			}
		}
	}
	return warifu.Refused("pdf-not-covered", "field", d.name, "why", "the field is not in the signed revision")
}

// trimmed cuts the zeros behind the DER of the signature.
func trimmed(octets []byte) ([]byte, error) {
	size, err := derSize(octets)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(octets[size:], "\x00")) != 0 {
		return nil, errors.New("something stands behind the signature in its Contents")
	}
	return octets[:size], nil
}

// derSize returns the octets the first DER element takes.
func derSize(in []byte) (int, error) {
	malformed := errors.New("the Contents of a signature is no DER")
	if len(in) < 2 || in[0] != 0x30 {
		return 0, malformed
	}
	length, head := int(in[1]), 2
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 3 || len(in) < 2+n {
			return 0, malformed
		}
		length, head = 0, 2+n
		for _, o := range in[2 : 2+n] {
			length = length<<8 | int(o)
		}
	}
	if head+length > len(in) {
		return 0, malformed
	}
	return head + length, nil
}

// revision returns which sections were there when the file ended at end: it must be the
// end of a save, and a reader given these octets alone must find that same section.
func (f *pdfFile) revision(end int) (from int, err error) {
	if tail := bytes.TrimRight(f.in[:end], "\r\n"); !bytes.HasSuffix(tail, []byte("%%EOF")) || end-len(tail) > 2 {
		return 0, errors.New("the range does not end with a save of the file")
	}
	for from < len(f.sections) && f.sections[from].at >= end {
		from++
	}
	if from == len(f.sections) {
		return 0, errors.New("the range holds no cross-reference")
	}
	for _, s := range f.sections[from:] {
		if s.at >= end {
			return 0, errors.New("an older cross-reference stands behind the range")
		}
		for number, e := range s.entries {
			if !e.free && e.stream == 0 && e.offset >= end {
				return 0, fmt.Errorf("object %d stands behind the range", number)
			}
		}
	}
	at, err := startXref(f.in[:end])
	if err != nil || at != f.sections[from].at {
		return 0, errors.New("the signed revision begins elsewhere")
	}
	return from, nil
}

// dss reads the document security store of the newest revision.
func (f *pdfFile) dss() (DSS, error) {
	var out DSS
	root, err := f.root(0)
	if err != nil {
		return out, err
	}
	store, err := f.dictOf(root["DSS"], 0)
	if err != nil || store == nil {
		return out, err
	}
	for key, into := range map[pdfName]*[][]byte{"Certs": &out.Certificates, "OCSPs": &out.OCSP, "CRLs": &out.CRL} {
		list, err := f.arrayOf(store[key], 0)
		if err != nil {
			return out, err
		}
		for _, o := range list {
			o, err := f.resolve(o, 0)
			stream, ok := o.(pdfStream)
			if err != nil || !ok || len(list) > 256 {
				return out, errors.New("its document security store is malformed")
			}
			octets, err := f.decode(stream)
			if err != nil {
				return out, err
			}
			*into = append(*into, octets)
		}
	}
	return out, nil
}
