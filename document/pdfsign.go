package document

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"warifu"
	"warifu/cms"
)

// pdfRoom is how many octets of CMS a signature may take: the certificates, and a
// time-stamp with its own.
const pdfRoom = 24 << 10

// PDFOptions is what a signature says beside itself.
type PDFOptions struct {
	Certificate *x509.Certificate   // the signer's
	Others      []*x509.Certificate // that go along, such as the authority's
	At          time.Time           // the signer's claim (/M); zero leaves it out
	Reason      string
	Location    string
}

// PreparedPDF is a file that lacks only its signature.
type PreparedPDF struct {
	file    []byte
	gap     int // offset of the < of /Contents
	message *cms.Prepared
}

// PreparePDF adds an invisible signature field to the file in an incremental update
// (PAdES baseline, ETSI EN 319 142-1): what is there already is not touched, so that
// earlier signatures go on covering it. Errors as ReadPDF, Refused "pdf-no-page",
// those of cms.Prepare.
func PreparePDF(in []byte, o PDFOptions) (*PreparedPDF, error) {
	u, err := newUpdate(in)
	if err != nil {
		return nil, err
	}
	fields, err := u.file.fields(0)
	if err != nil {
		return nil, malformedPDF(err)
	}
	value, widget := u.next(), u.next()
	u.objects[value.number] = signatureDict(o)
	name := unusedName(fields)
	page, err := u.annotate(widget)
	if err != nil {
		return nil, err
	}
	u.objects[widget.number] = pdfDict{
		"Type": pdfName("Annot"), "Subtype": pdfName("Widget"), "FT": pdfName("Sig"), "T": pdfString{octets: []byte(name)},
		"V": value, "P": page, "F": int64(132), // print, locked
		"Rect": pdfArray{int64(0), int64(0), int64(0), int64(0)},
	}
	if err := u.addField(widget); err != nil {
		return nil, err
	}
	out, offsets := u.write()
	p := &PreparedPDF{file: out}
	p.gap = offsets[value.number] + bytes.Index(out[offsets[value.number]:], []byte("/Contents <")) + len("/Contents ")
	rest := p.gap + len(emptyContents)
	copy(out[offsets[value.number]+bytes.Index(out[offsets[value.number]:], []byte("/ByteRange ["))+len("/ByteRange "):],
		fmt.Sprintf("[%010d %010d %010d %010d]", 0, p.gap, rest, len(out)-rest))
	h := sha256.New()
	h.Write(out[:p.gap])
	h.Write(out[rest:])
	// The claimed time stands in /M; PAdES wants it there and nowhere else.
	p.message, err = cms.PrepareDigest(cms.OIDData, [sha256.Size]byte(h.Sum(nil)), o.Certificate, o.Others, time.Time{})
	return p, err
}

// unusedName is one that no signature field has: two fields of one name are one to readers.
func unusedName(fields []field) string {
	for n := len(fields) + 1; ; n++ {
		name := fmt.Sprintf("Signature%d", n)
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			return name
		}
	}
}

var (
	emptyContents = verbatim("<" + strings.Repeat("00", pdfRoom) + ">")
	emptyRange    = verbatim("[0000000000 0000000000 0000000000 0000000000]")
)

func signatureDict(o PDFOptions) pdfDict {
	d := pdfDict{
		"Type": pdfName("Sig"), "Filter": pdfName("Adobe.PPKLite"), "SubFilter": pdfName("ETSI.CAdES.detached"),
		"ByteRange": emptyRange, "Contents": emptyContents,
	}
	if !o.At.IsZero() {
		d["M"] = pdfString{octets: []byte(o.At.UTC().Format("D:20060102150405Z"))}
	}
	for k, v := range map[pdfName]string{"Reason": o.Reason, "Location": o.Location} {
		if v != "" {
			d[k] = pdfString{octets: textString(v)}
		}
	}
	return d
}

// textString encodes a text as UTF-16 with its mark (§7.9.2.2).
func textString(s string) []byte {
	out := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// Digest is what the key signs: SHA-256 of the signed attributes.
func (p *PreparedPDF) Digest() [sha256.Size]byte { return p.message.Digest() }

// SignedAttributes returns what Digest is the digest of.
func (p *PreparedPDF) SignedAttributes() []byte { return p.message.SignedAttributes() }

// Finish checks the signature and returns the signed file. token, where not nil, is a
// time-stamp token over SHA-256 of the signature: then the file is PAdES-B-T. Errors:
// those of cms, TooLarge "signature-too-large".
func (p *PreparedPDF) Finish(signature, token []byte) ([]byte, error) {
	der, err := p.message.Finish(signature)
	if err != nil {
		return nil, err
	}
	if token != nil {
		if der, err = cms.AddTimestamp(der, token); err != nil {
			return nil, err
		}
	}
	if len(der) > pdfRoom {
		return nil, warifu.TooLarge("signature-too-large")
	}
	out := bytes.Clone(p.file)
	hex.Encode(out[p.gap+1:], der)
	return out, nil
}

// ExtendPDF adds certificates and status to the file's document security store, which
// makes a B-T signature B-LT: whoever checks it later needs nobody. What the store has
// already stays. Errors as ReadPDF.
func ExtendPDF(in []byte, more DSS) ([]byte, error) {
	u, err := newUpdate(in)
	if err != nil {
		return nil, err
	}
	root, err := u.file.root(0)
	if err != nil {
		return nil, malformedPDF(err)
	}
	old, err := u.file.dictOf(root["DSS"], 0)
	if err != nil {
		return nil, malformedPDF(err)
	}
	store := pdfDict{"Type": pdfName("DSS")}
	for k, v := range old {
		store[k] = v
	}
	for key, list := range map[pdfName][][]byte{"Certs": more.Certificates, "OCSPs": more.OCSP, "CRLs": more.CRL} {
		if len(list) == 0 {
			continue
		}
		refs, err := u.file.arrayOf(old[key], 0)
		if err != nil {
			return nil, malformedPDF(err)
		}
		refs = append(pdfArray{}, refs...)
		for _, der := range list {
			ref := u.next()
			u.objects[ref.number] = pdfStream{pdfDict{"Length": int64(len(der))}, der}
			refs = append(refs, ref)
		}
		store[key] = refs
	}
	ref := u.next()
	u.objects[ref.number] = store
	if err := u.changeRoot(func(root pdfDict) { root["DSS"] = ref }); err != nil {
		return nil, err
	}
	out, _ := u.write()
	return out, nil
}

// update is an incremental update in the making.
type update struct {
	file    *pdfFile
	size    int
	objects map[int]pdfObject
}

func newUpdate(in []byte) (*update, error) {
	if len(in) > MaxPDF {
		return nil, warifu.TooLarge("pdf-too-large")
	}
	f, err := openPDF(in)
	if err != nil {
		return nil, malformedPDF(err)
	}
	u := &update{file: f, objects: map[int]pdfObject{}}
	for _, s := range f.sections {
		if n, ok := s.trailer["Size"].(int64); ok && n < maxPDFObjects {
			u.size = max(u.size, int(n))
		}
		for n := range s.entries {
			u.size = max(u.size, n+1)
		}
	}
	return u, nil
}

func (u *update) next() pdfRef {
	u.size++
	return pdfRef{u.size - 1, 0}
}

// changeRoot writes the catalogue anew with a change.
func (u *update) changeRoot(change func(pdfDict)) error {
	ref, ok := u.file.sections[0].trailer["Root"].(pdfRef)
	root, err := u.file.root(0)
	if err != nil || !ok {
		return malformedPDF(errors.New("it has no catalogue"))
	}
	if again, ok := u.objects[ref.number].(pdfDict); ok {
		root = again
	}
	copied := copyOf(root)
	change(copied)
	u.objects[ref.number] = copied
	return nil
}

func copyOf(d pdfDict) pdfDict {
	out := pdfDict{}
	for k, v := range d {
		out[k] = v
	}
	return out
}

// addField puts a field into the form, which is made when there is none.
func (u *update) addField(widget pdfRef) error {
	root, err := u.file.root(0)
	if err != nil {
		return malformedPDF(err)
	}
	old, err := u.file.dictOf(root["AcroForm"], 0)
	if err != nil {
		return malformedPDF(err)
	}
	fields, err := u.file.arrayOf(old["Fields"], 0)
	if err != nil {
		return malformedPDF(err)
	}
	form := copyOf(old)
	form["Fields"] = append(append(pdfArray{}, fields...), widget)
	form["SigFlags"] = int64(3) // signatures exist; append only
	if ref, ok := root["AcroForm"].(pdfRef); ok && old != nil {
		u.objects[ref.number] = form
		return nil
	}
	return u.changeRoot(func(root pdfDict) { root["AcroForm"] = form })
}

// annotate puts the widget on the first page and returns the page.
func (u *update) annotate(widget pdfRef) (pdfRef, error) {
	root, err := u.file.root(0)
	if err != nil {
		return pdfRef{}, malformedPDF(err)
	}
	at, _ := root["Pages"].(pdfRef)
	for range maxPDFDepth {
		node, err := u.file.dictOf(at, 0)
		if err != nil {
			return at, malformedPDF(err)
		}
		if node["Type"] == pdfName("Page") {
			annotations, err := u.file.arrayOf(node["Annots"], 0)
			if err != nil {
				return at, malformedPDF(err)
			}
			page := copyOf(node)
			page["Annots"] = append(append(pdfArray{}, annotations...), widget)
			u.objects[at.number] = page
			return at, nil
		}
		kids, err := u.file.arrayOf(node["Kids"], 0)
		if err != nil || len(kids) == 0 {
			break
		}
		at, _ = kids[0].(pdfRef)
	}
	return at, warifu.Refused("pdf-no-page")
}
