package document_test

import (
	"bytes"
	"strings"
	"testing"

	"warifu"
	"warifu/document"
)

func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

// Who has a file signed wants that file: a signature covers whatever was put in before it.
func TestASignedPDFIsTheFileThatWasToBeSigned(t *testing.T) {
	before := contract()
	once := hanako().sign(t, before)
	twice := hanako().sign(t, once)
	for what, c := range map[string]struct {
		signed, before []byte
		want           string
	}{
		"signed":                            {once, before, ""},
		"signed by two":                     {twice, once, ""},
		"not signed":                        {before, before, "signed-document-other"},
		"two at once":                       {twice, before, "signed-document-other"},
		"the signed file for the one after": {once, twice, "signed-document-other"},
		"another file":                      {hanako().sign(t, bytes.Replace(before, []byte("100 yen"), []byte("900 yen"), 1)), before, "signed-document-other"},
		"the text changed, then signed":     {hanako().sign(t, later(t, before, "1 0 R", map[int]string{4: content("I owe 900 yen")})), before, "signed-document-other"},
		"the text changed after signing":    {later(t, once, "1 0 R", map[int]string{4: content("I owe 900 yen")}), before, "signed-document-other"},
		"something that opens, then signed": {hanako().sign(t, later(t, before, "1 0 R", map[int]string{1: "<</Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /Fit]>>"})), before, "signed-document-other"},
		"an unsigned update":                {later(t, before, "1 0 R", map[int]string{9: "<<>>"}), before, "signed-document-other"},
		"octets behind it":                  {append(bytes.Clone(once), "hello"...), before, "signed-document-other"},
		"cut short":                         {once[:len(once)-20], before, "pdf-malformed"},
	} {
		field, err := document.PDFSigned(c.signed, c.before)
		if got := problemOf(err); got != c.want || (err == nil) != (field != "") {
			t.Errorf("%s: %q %v, want %q", what, field, err, c.want)
		}
	}
	if field, _ := document.PDFSigned(twice, once); field != "Signature2" {
		t.Errorf("the field is %q", field)
	}
}

func TestWhatCannotBeSignedIsRefusedBeforeAnybodyIsAsked(t *testing.T) {
	good := contract()
	for what, c := range map[string]struct {
		file []byte
		want string
	}{
		"a contract":      {good, ""},
		"signed before":   {hanako().sign(t, good), ""},
		"encrypted":       {bytes.Replace(good, []byte("/Root 1 0 R>>"), []byte("/Root 1 0 R /Encrypt 9 0 R>>"), 1), "pdf-malformed"},
		"text behind it":  {append(bytes.Clone(good), "and more"...), "pdf-malformed"},
		"no page":         {plain("<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [] /Count 0>>"), "pdf-no-page"},
		"no PDF at all":   {[]byte("a letter"), "pdf-malformed"},
		"nothing":         {nil, "pdf-malformed"},
		"far too large":   {make([]byte, document.MaxPDF+1), "pdf-too-large"},
		"without newline": {bytes.TrimSuffix(good, []byte("\n")), ""},
	} {
		err := document.PDFTakesSignature(c.file)
		if got := problemOf(err); got != c.want {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if err != nil {
			continue
		}
		if _, err := document.PDFSigned(hanako().sign(t, c.file), c.file); err != nil {
			t.Errorf("%s: signed: %v", what, err)
		}
	}
	for what, c := range map[string]struct{ in, want string }{
		"a tax return": {taxReturn, ""}, "a document type": {`<!DOCTYPE a><a/>`, "xml-malformed"}, "nothing": {"", "xml-malformed"},
		"signed before": {string(signXML(t, taxReturn, hanako().certificate, hanako().key)), "xml-signed-already"},
	} {
		if got := problemOf(document.XMLTakesSignature([]byte(c.in))); got != c.want {
			t.Errorf("%s: %s, want %q", what, got, c.want)
		}
	}
}

func TestASignedXMLDocumentIsTheOneThatWasToBeSigned(t *testing.T) {
	for _, in := range []string{taxReturn, "<a/>", `<a b="1" />`, "<a></a>", "<a>x</a>\n"} {
		signed := signXML(t, in, hanako().certificate, hanako().key)
		if err := document.XMLSigned(signed, []byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		for what, c := range map[string]struct {
			before string
			want   string
		}{
			"another document":      {"<b/>", "signed-document-other"},
			"one with less in it":   {strings.Replace(in, "<a", "<a c=\"\"", 1) + "<!-- -->", "signed-document-other"},
			"one with a remark":     {in + "<!-- a remark -->", "signed-document-other"},
			"the signed one itself": {string(signed), "signed-document-other"},
		} {
			if got := problemOf(document.XMLSigned(signed, []byte(c.before))); got != c.want {
				t.Errorf("%s, %s: %s, want %s", in, what, got, c.want)
			}
		}
	}
	if got := problemOf(document.XMLSigned([]byte(taxReturn), []byte(taxReturn))); got != "xml-unsigned" {
		t.Errorf("unsigned: %s", got)
	}
}

// Whatever is appended to a file, it is never that file signed unless ReadPDF finds one more
// whole signature in it.
func FuzzPDFSigned(f *testing.F) {
	before := contract()
	signed := hanako().sign(f, before)
	f.Add(signed[len(before):])
	f.Add(later(f, before, "1 0 R", map[int]string{9: "<<>>"})[len(before):])
	f.Add([]byte("\n%%EOF"))
	f.Fuzz(func(t *testing.T, behind []byte) {
		in := append(bytes.Clone(before), behind...)
		field, err := document.PDFSigned(in, before)
		if err != nil {
			return
		}
		pdf, err := document.ReadPDF(in)
		if err != nil {
			return // the signature covers less: package verify says so
		}
		if len(pdf.Signatures) != 1 || pdf.Signatures[0].Field != field {
			t.Errorf("field %q, found %+v", field, pdf.Signatures)
		}
	})
}
