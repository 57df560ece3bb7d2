package party

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"warifu/cms"
	"warifu/document"
)

// The forms of a signed document that a verifier may take.
const (
	formDetached = "detached" // CMS beside the document
	formAttached = "attached" // CMS around it
	formPDF      = "pdf"
	formXML      = "xml"
)

// paper is a signed document as it is handed in.
type paper struct {
	form      string
	signature []byte // the CMS, or the whole PDF or XML file
	document  []byte // of a detached signature
}

// contract is what is signed.
const contract = "I owe 100 yen"

// prepared is what document and cms make ready to be signed.
type prepared interface{ Digest() [sha256.Size]byte }

func (h holder) over(p prepared) ([]byte, error) {
	d := p.Digest()
	return h.key.Sign(rand.Reader, d[:], crypto.SHA256)
}

// sign makes a good signature in a form.
func (h holder) sign(form string, at time.Time) (paper, error) {
	switch form {
	case formPDF:
		p, err := document.PreparePDF(contractPDF(), document.PDFOptions{Certificate: h.certificate, At: at})
		if err != nil {
			return paper{}, err
		}
		s, err := h.over(p)
		if err != nil {
			return paper{}, err
		}
		file, err := p.Finish(s, nil)
		return paper{form: form, signature: file}, err
	case formXML:
		p, err := document.PrepareXML([]byte("<contract><money>100</money></contract>"), h.certificate, at)
		if err != nil {
			return paper{}, err
		}
		s, err := h.over(p)
		if err != nil {
			return paper{}, err
		}
		file, err := p.Finish(s, nil)
		return paper{form: form, signature: file}, err
	}
	return h.signCMS(form, cms.OIDData, []byte(contract), at)
}

// signCMS makes a CMS message of any content type.
func (h holder) signCMS(form string, kind asn1.ObjectIdentifier, content []byte, at time.Time) (paper, error) {
	p, err := cms.Prepare(kind, content, h.certificate, nil, at, form == formDetached)
	if err != nil {
		return paper{}, err
	}
	s, err := h.over(p)
	if err != nil {
		return paper{}, err
	}
	der, err := p.Finish(s)
	out := paper{form: form, signature: der}
	if form == formDetached {
		out.document = content
	}
	return out, err
}

// contractPDF is a page of one line.
func contractPDF() []byte {
	return plainPDF(
		"<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [3 0 R] /Count 1>>",
		"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>",
		shownText(contract), "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>")
}

// contentObject is the number of the object that is shown.
const contentObject = 4

func shownText(s string) string {
	s = "BT /F1 24 Tf 72 700 Td (" + s + ") Tj ET"
	return fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(s), s)
}

// plainPDF builds a file of numbered objects with a cross-reference table (ISO 32000-2 §7.5).
func plainPDF(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, at)
	return b.Bytes()
}

var (
	startXRef = regexp.MustCompile(`startxref\s+(\d+)\s+%%EOF\s*$`)
	sizeOf    = regexp.MustCompile(`/Size\s+(\d+)`)
	rootOf    = regexp.MustCompile(`/Root\s+(\d+ \d+ R)`)
)

// rewritten is a signed PDF file whose page a later revision replaces: what was signed is
// still there, octet by octet, and is no longer what people see.
func rewritten(file []byte) []byte {
	last := func(re *regexp.Regexp, otherwise string) string {
		all := re.FindAllSubmatch(file, -1)
		if len(all) == 0 {
			return otherwise
		}
		return string(all[len(all)-1][1])
	}
	out := bytes.NewBuffer(bytes.Clone(file))
	at := out.Len()
	fmt.Fprintf(out, "%d 0 obj\n%s\nendobj\n", contentObject, shownText("I owe 900 yen"))
	table := out.Len()
	fmt.Fprintf(out, "xref\n%d 1\n%010d 00000 n \ntrailer\n<</Size %s /Root %s /Prev %s>>\nstartxref\n%d\n%%%%EOF\n",
		contentObject, at, last(sizeOf, "10"), last(rootOf, "1 0 R"), last(startXRef, "0"), table)
	return out.Bytes()
}

// replaced changes a piece of a file in its place.
func replaced(file []byte, old, by string) []byte {
	return bytes.Replace(file, []byte(old), []byte(by), 1)
}

var signatureTag = regexp.MustCompile(`<(?:\w+:)?Signature[\s>]`)

// wrapped puts a signed document into another one of an attacker's, whose first contract is
// the attacker's; the signature is the last child of the new root, as a reader expects it.
func wrapped(file []byte) []byte {
	signed := string(file)
	found := signatureTag.FindStringIndex(signed)
	if found == nil {
		return file
	}
	at := found[0]
	end := strings.LastIndex(signed, "</contract>")
	inside, signature := signed[strings.Index(signed, "<contract>"):at]+"</contract>", signed[at:end]
	return []byte("<contract><money>900</money>" + inside + signature + "</contract>")
}

// fromAddress is the OCSP request at the end of the address of a GET.
func fromAddress(path string) ([]byte, error) {
	parts := strings.SplitN(strings.TrimPrefix(path, "/ocsp/"), "/", 2)
	if len(parts) != 2 {
		return nil, strconv.ErrSyntax
	}
	plain, err := url.PathUnescape(parts[1])
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(plain)
}
