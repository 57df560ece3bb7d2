package document_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/document"
)

var now = time.Date(2026, 6, 10, 3, 0, 0, 0, time.UTC)

type signer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

var hanako = sync.OnceValue(func() signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "hanako"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return signer{c, key}
})

// plain builds a PDF file of numbered objects with a cross-reference table.
func plain(objects ...string) []byte {
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

func content(text string) string {
	s := "BT /F1 24 Tf 72 700 Td (" + text + ") Tj ET"
	return fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(s), s)
}

func contract() []byte {
	return plain(
		"<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [3 0 R] /Count 1>>",
		"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>> /Annots [6 0 R]>>",
		content("I owe 100 yen"), "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
		"<</Type /Annot /Subtype /Link /Rect [0 0 10 10]>>")
}

func (s signer) sign(t testing.TB, in []byte) []byte {
	t.Helper()
	p, err := document.PreparePDF(in, document.PDFOptions{Certificate: s.certificate, At: now, Reason: "承諾します", Location: "東京(都)"})
	if err != nil {
		t.Fatal(err)
	}
	digest := p.Digest()
	signature, err := s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Finish(signature, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t testing.TB, in []byte) *document.PDF {
	t.Helper()
	pdf, err := document.ReadPDF(in)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// holds checks a signature's CMS over its digest.
func holds(t testing.TB, s document.PDFSignature) {
	t.Helper()
	m, err := cms.Parse(s.CMS)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.VerifyDigest(s.Digest); err != nil {
		t.Fatal(err)
	}
}

func TestSignedFileIsCoveredWhole(t *testing.T) {
	once := hanako().sign(t, contract())
	pdf := read(t, once)
	if len(pdf.Signatures) != 1 || !pdf.Signatures[0].Whole || pdf.Signatures[0].Field != "Signature1" {
		t.Fatalf("%+v", pdf.Signatures)
	}
	holds(t, pdf.Signatures[0])

	twice := hanako().sign(t, once)
	pdf = read(t, twice)
	if len(pdf.Signatures) != 2 || pdf.Signatures[0].Whole || !pdf.Signatures[1].Whole {
		t.Fatalf("%+v", pdf.Signatures)
	}
	for _, s := range pdf.Signatures {
		holds(t, s)
	}
	first := pdf.Signatures[0]
	if len(first.Changes) != 0 || len(first.Additions) != 1 || first.Additions[0] != "signature Signature2" {
		t.Errorf("changes %q, additions %q", first.Changes, first.Additions)
	}
	long, err := document.ExtendPDF(twice, document.DSS{Certificates: [][]byte{hanako().certificate.Raw}, OCSP: [][]byte{{0x30, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	if long, err = document.ExtendPDF(long, document.DSS{CRL: [][]byte{{0x30, 1, 0}}}); err != nil {
		t.Fatal(err)
	}
	pdf = read(t, long)
	for _, s := range pdf.Signatures {
		if len(s.Changes) != 0 {
			t.Errorf("%s: changes %q", s.Field, s.Changes)
		}
		holds(t, s)
	}
	if d := pdf.DSS; len(d.Certificates) != 1 || len(d.OCSP) != 1 || len(d.CRL) != 1 || !bytes.Equal(d.Certificates[0], hanako().certificate.Raw) {
		t.Errorf("store: %d certificates, %d OCSP, %d CRL", len(d.Certificates), len(d.OCSP), len(d.CRL))
	}
}

// TestFieldsNeverShareAName: a file whose only signature field is called Signature2, as when
// another program took the first away.
func TestFieldsNeverShareAName(t *testing.T) {
	in := plain(
		"<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [4 0 R] /SigFlags 1>>>>", "<</Type /Pages /Kids [3 0 R] /Count 1>>",
		"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [4 0 R]>>",
		"<</Type /Annot /Subtype /Widget /FT /Sig /T (Signature2) /P 3 0 R /Rect [0 0 0 0]>>")
	pdf := read(t, hanako().sign(t, in))
	if len(pdf.Signatures) != 1 || pdf.Signatures[0].Field != "Signature3" {
		t.Errorf("%+v", pdf.Signatures)
	}
}

func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func file(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "contract.pdf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOtherShapesOfFilesAreSigned lets qpdf write the same document with
// cross-reference streams, object streams and linearized.
func TestOtherShapesOfFilesAreSigned(t *testing.T) {
	for name, options := range map[string][]string{
		"object streams": {"--object-streams=generate"}, "linearized": {"--linearize"},
		"linearized with object streams": {"--linearize", "--object-streams=generate"}, "plain": {"--object-streams=disable"},
	} {
		t.Run(name, func(t *testing.T) {
			in := file(t, contract())
			out := in + ".out"
			program(t, "qpdf", append(options, in, out)...)
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			signed := hanako().sign(t, hanako().sign(t, b))
			pdf := read(t, signed)
			if len(pdf.Signatures) != 2 || len(pdf.Signatures[0].Changes) != 0 {
				t.Fatalf("%+v", pdf.Signatures)
			}
			for _, s := range pdf.Signatures {
				holds(t, s)
			}
			program(t, "qpdf", "--check", file(t, signed))
			pdfsig(t, signed, 2)
		})
	}
}

// pdfsig asks poppler.
func pdfsig(t *testing.T, signed []byte, signatures int) {
	t.Helper()
	out := program(t, "pdfsig", "-nocert", file(t, signed))
	if n := strings.Count(out, "Signature Validation: Signature is Valid."); n != signatures {
		t.Errorf("poppler finds %d good signatures of %d:\n%s", n, signatures, out)
	}
	if !strings.Contains(out, "ETSI.CAdES.detached") || strings.Count(out, "Total document signed") != 1 {
		t.Errorf("%s", out)
	}
}

func TestPopplerBelievesOurSignature(t *testing.T) { pdfsig(t, hanako().sign(t, contract()), 1) }

// later appends an incremental update with these objects, as an attacker would.
func later(t testing.TB, in []byte, root string, objects map[int]string) []byte {
	t.Helper()
	b := bytes.NewBuffer(bytes.Clone(in))
	i := bytes.LastIndex(in, []byte("startxref"))
	var previous int
	if _, err := fmt.Sscanf(string(in[i:]), "startxref\n%d", &previous); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	highest := 100
	for n, o := range objects {
		fmt.Fprintf(&table, "%d 1\n%010d 00000 n \n", n, b.Len())
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, o)
		highest = max(highest, n+1)
	}
	at := b.Len()
	fmt.Fprintf(b, "xref\n%strailer\n<</Size %d /Root %s /Prev %d>>\nstartxref\n%d\n%%%%EOF\n", table.String(), highest, root, previous, at)
	return b.Bytes()
}

func TestWhatChangesAfterSigningIsNamed(t *testing.T) {
	signed := hanako().sign(t, contract())
	for what, c := range map[string]struct {
		objects map[int]string
		root    string
		want    string
	}{
		"the text":              {map[int]string{4: content("I owe 900 yen")}, "1 0 R", "/Contents (object 4)"},
		"the font":              {map[int]string{5: "<</Type /Font /Subtype /Type1 /BaseFont /Courier>>"}, "1 0 R", "/F1 (object 5)/BaseFont"},
		"a link":                {map[int]string{6: "<</Type /Annot /Subtype /Link /Rect [0 0 500 500]>>"}, "1 0 R", "/Rect"},
		"the pages":             {map[int]string{2: "<</Type /Pages /Kids [3 0 R 3 0 R] /Count 2>>"}, "1 0 R", "/Kids"},
		"another catalogue":     {map[int]string{50: "<</Type /Catalog /Pages 2 0 R>>"}, "50 0 R", "the catalogue"},
		"something that opens":  {map[int]string{1: "<</Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /Fit]>>"}, "1 0 R", "/OpenAction"},
		"an annotation on top":  {map[int]string{3: "<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>> /Annots [6 0 R 8 0 R 60 0 R]>>", 60: "<</Type /Annot /Subtype /FreeText /Rect [0 0 500 500]>>"}, "1 0 R", "/Annots"},
		"the signature's field": {map[int]string{8: "<</Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /V 7 0 R /P 3 0 R /F 132 /Rect [0 0 300 300]>>"}, "1 0 R", "/Rect"},
	} {
		t.Run(what, func(t *testing.T) {
			pdf, err := document.ReadPDF(later(t, signed, c.root, c.objects))
			if err != nil {
				t.Fatal(err)
			}
			if len(pdf.Signatures) == 0 {
				if what == "another catalogue" || what == "something that opens" {
					return // the form is gone with the old catalogue: there is no signature to believe
				}
				t.Fatal("the signature is not found")
			}
			s := pdf.Signatures[0]
			if s.Whole || !strings.Contains(strings.Join(s.Changes, "\n"), c.want) {
				t.Errorf("whole %v, changes %q, want %q", s.Whole, s.Changes, c.want)
			}
		})
	}
}

// TestWhatWasMissingCannotBeFilledInLater is the shadow attack (Mainka et al. 2021): the
// signed revision refers to an object that is only written afterwards.
func TestWhatWasMissingCannotBeFilledInLater(t *testing.T) {
	prepared := plain(
		"<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [3 0 R] /Count 1>>",
		"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</XObject <</X 77 0 R>>>>>>", content("I owe nothing"))
	attacked := later(t, hanako().sign(t, prepared), "1 0 R", map[int]string{77: content("I owe everything")})
	s := read(t, attacked).Signatures[0]
	if !strings.Contains(strings.Join(s.Changes, "\n"), "/X (object 77)") {
		t.Errorf("changes %q", s.Changes)
	}
}

func refused(t *testing.T, in []byte, what, want string) {
	t.Helper()
	_, err := document.ReadPDF(in)
	if err == nil || warifu.ProblemOf(err).Problem != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func TestRangesThatLeaveSomethingOutAreRefused(t *testing.T) {
	signed := hanako().sign(t, contract())
	i := bytes.Index(signed, []byte("/ByteRange [")) + len("/ByteRange [")
	var r [4]int
	if _, err := fmt.Sscanf(string(signed[i:]), "%d %d %d %d", &r[0], &r[1], &r[2], &r[3]); err != nil {
		t.Fatal(err)
	}
	for what, v := range map[string][4]int{
		"not from the beginning": {1, r[1] - 1, r[2], r[3]}, "a wider gap before": {0, r[1] - 20, r[2], r[3]},
		"a wider gap behind": {0, r[1], r[2] + 20, r[3] - 20}, "ends early": {0, r[1], r[2], r[3] - 30}, "ends late": {0, r[1], r[2], r[3] + 30},
		"no gap": {0, r[2], r[2], r[3]},
	} {
		changed := bytes.Clone(signed)
		copy(changed[i:], fmt.Sprintf("%010d %010d %010d %010d", v[0], v[1], v[2], v[3]))
		refused(t, changed, what, "pdf-not-covered")
	}
	// The signature wrapping attack: the old signature value moved into a new object.
	value := signed[bytes.Index(signed, []byte("7 0 obj")):]
	value = value[len("7 0 obj\n"):bytes.Index(value, []byte("\nendobj"))]
	refused(t, later(t, signed, "1 0 R", map[int]string{7: string(value), 4: content("I owe 900 yen")}), "a moved signature", "pdf-not-covered")
}

func TestFilesReadersDisagreeAboutAreRefused(t *testing.T) {
	good := contract()
	for what, in := range map[string][]byte{
		"nothing": nil, "something else": []byte("GIF89a"), "no beginning": good[1:], "no end": good[:len(good)-40],
		"a key twice":         bytes.Replace(good, []byte("/Pages 2"), []byte("/Type  2"), 1),
		"encrypted":           bytes.Replace(good, []byte("/Root 1 0 R>>"), []byte("/Root 1 0 R /Encrypt 9 0 R>>"), 1),
		"two references":      bytes.Replace(good, []byte("/Root 1 0 R>>"), []byte("/Root 1 0 R /XRefStm 9>>"), 1),
		"a circle":            bytes.Replace(good, []byte("/Root 1 0 R>>"), fmt.Appendf(nil, "/Root 1 0 R /Prev %d>>", bytes.Index(good, []byte("xref\n0"))), 1),
		"an object elsewhere": bytes.Replace(good, []byte("\n1 0 obj"), []byte("\n9 0 obj"), 1),
	} {
		refused(t, in, what, "pdf-malformed")
	}
	if _, err := document.ReadPDF(make([]byte, document.MaxPDF+1)); warifu.ProblemOf(err).Problem != "pdf-too-large" {
		t.Error(err)
	}
}

func FuzzReadPDF(f *testing.F) {
	f.Add(contract())
	f.Add(hanako().sign(f, contract()))
	f.Add(later(f, hanako().sign(f, contract()), "1 0 R", map[int]string{4: content("x")}))
	f.Fuzz(func(t *testing.T, in []byte) {
		pdf, err := document.ReadPDF(in)
		if err != nil {
			return
		}
		for _, s := range pdf.Signatures {
			if s.Whole && sha256.Sum256(in) == s.Digest {
				t.Fatal("a signature that covers itself")
			}
		}
		if p, err := document.PreparePDF(in, document.PDFOptions{Certificate: hanako().certificate}); err == nil {
			p.Digest()
		}
	})
}
