package document_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"warifu"
	"warifu/document"
)

// taro signs with RSA, as the cards of the default scheme do.
var taro = sync.OnceValue(func() (out struct {
	certificate *x509.Certificate
	key         crypto.Signer
}) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: "taro"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(5, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	out.key = key
	out.certificate, err = x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return out
})

// taxReturn has what canonical XML has rules about.
const taxReturn = `<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="kakutei.xsl"?>
<!-- 確定申告 -->
<申告:確定申告書 xmlns:申告="urn:example:tax" xmlns="urn:example:form" xmlns:unused="urn:example:unused" b="2" a="1" 申告:z='"&lt;'>
  <金額 通貨="円">1&amp;2 &lt; 3 &gt; 2</金額><![CDATA[<生>]]>
  <e/><inner xmlns=""><x xmlns="urn:example:form"/></inner>
  <!-- a remark --><?go on?>
</申告:確定申告書>
<?after?>
`

func signXML(t testing.TB, in string, certificate *x509.Certificate, key crypto.Signer) []byte {
	t.Helper()
	p, err := document.PrepareXML([]byte(in), certificate, now)
	if err != nil {
		t.Fatal(err)
	}
	digest := p.Digest()
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Finish(signature, []byte{0x30, 0x00})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func readXML(t testing.TB, in []byte) *document.XML {
	t.Helper()
	x, err := document.ReadXML(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Verify(); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestSignedXMLReadsBack(t *testing.T) {
	for what, in := range map[string]string{"a tax return": taxReturn, "an empty root": "<a/>", "an empty root with a blank": `<a b="1" />`, "a root that is open": "<a></a>"} {
		for _, signed := range [][]byte{signXML(t, in, hanako().certificate, hanako().key), signXML(t, in, taro().certificate, taro().key)} {
			x := readXML(t, signed)
			if !x.SigningTime.Equal(now) || len(x.Timestamp) != 2 {
				t.Errorf("%s: at %v, token %x", what, x.SigningTime, x.Timestamp)
			}
			if _, err := document.PrepareXML(signed, taro().certificate, now); warifu.ProblemOf(err).Problem != "xml-signed-already" {
				t.Errorf("%s: signed twice: %v", what, err)
			}
		}
	}
}

// TestXMLSecAgrees has libxml2's own canonicalization and another implementation of
// XML signatures look at ours.
func TestXMLSecAgrees(t *testing.T) {
	for what, in := range map[string]string{
		"a tax return": taxReturn, "an empty root": "<a/>",
		"prefixes in and out of use": `<p:a xmlns:p="urn:1" xmlns:q="urn:2"><p:b q:x="1" p:x="2" x="0"><p:c xmlns:p="urn:3" xml:lang="ja"/></p:b><p:d xmlns:q="urn:2" q:y="&#x9;&#xA;&#xD;&quot;'"/>` +
			"&#xD;\r\n&#x20AC;&amp;lt;</p:a>",
		"defaults that come and go": `<a xmlns="urn:1"><b xmlns=""><c xmlns="urn:1"><d xmlns=""/></c><e/></b><f xmlns="urn:1"/><g xmlns="urn:2" xmlns:h="urn:2" h:k="1" k="2"/></a>`,
	} {
		t.Run(what, func(t *testing.T) {
			for name, s := range map[string]struct {
				c *x509.Certificate
				k crypto.Signer
			}{"p-256": {hanako().certificate, hanako().key}, "rsa-2048": {taro().certificate, taro().key}} {
				dir := t.TempDir()
				signed, root := filepath.Join(dir, "signed.xml"), filepath.Join(dir, "c.pem")
				for path, b := range map[string][]byte{signed: signXML(t, in, s.c, s.k), root: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.c.Raw})} {
					if err := os.WriteFile(path, b, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				out := program(t, "xmlsec1", "--verify", "--pubkey-cert-pem", root, "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", signed)
				if !strings.Contains(out, "OK") {
					t.Errorf("%s: %s", name, out)
				}
			}
		})
	}
}

func TestAKeyThatNobodyVerifiesIsNotPrepared(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := document.PrepareXML([]byte("<a/>"), &x509.Certificate{PublicKey: &key.PublicKey}, now); err == nil || warifu.ProblemOf(err).Problem != "signature-key-unsupported" {
		t.Error(err)
	}
}

func TestChangedXMLIsRefused(t *testing.T) {
	signed := string(signXML(t, taxReturn, hanako().certificate, hanako().key))
	if _, err := document.ReadXML([]byte(strings.Replace(signed, "<!-- a remark -->", "<!-- another -->", 1))); err != nil {
		t.Errorf("comments are not covered, and said to be so: %v", err)
	}
	signature := signed[strings.Index(signed, "<ds:Signature "):]
	signature = signature[:strings.Index(signature, "</ds:Signature>")+len("</ds:Signature>")]
	inside := strings.Replace(signed, signature, "", 1)
	inside = inside[strings.Index(inside, "<申告"):strings.Index(inside, "<?after")]
	for what, c := range map[string]struct{ in, want string }{
		"an amount":               {strings.Replace(signed, "1&amp;2", "9&amp;2", 1), "signature-content-mismatch"},
		"an attribute":            {strings.Replace(signed, `b="2"`, `b="3"`, 1), "signature-content-mismatch"},
		"an instruction":          {strings.Replace(signed, "kakutei.xsl", "other.xsl", 1), "signature-content-mismatch"},
		"the claimed time":        {strings.Replace(signed, "2026-06-10T03", "2026-06-09T03", 1), "signature-content-mismatch"},
		"an attribute more":       {strings.Replace(signed, ` b="2"`, ` b="2" c="3"`, 1), "signature-content-mismatch"},
		"another namespace":       {strings.Replace(signed, `xmlns="urn:example:form" xmlns:u`, `xmlns="urn:example:evil" xmlns:u`, 1), "signature-content-mismatch"},
		"two signatures":          {strings.Replace(signed, "</申告:", signature+"</申告:", 1), "xml-signature-shape"},
		"none":                    {taxReturn, "xml-unsigned"},
		"wrapped":                 {"<evil><money>9</money>" + inside[:len(inside)-1] + signature + "</evil>", "signature-content-mismatch"},
		"wrapped in the document": {strings.Replace(signed, signature, "<w>"+signature+"</w>", 1), "xml-signature-shape"},
		"by identifier":           {strings.Replace(signed, `URI=""`, `URI="#x"`, 1), "xml-signature-shape"},
		"without a reference":     {strings.Replace(signed, ` URI=""`, "", 1), "xml-signature-shape"},
		"with an XPath":           {strings.Replace(signed, "#enveloped-signature", "#xpath", 1), "xml-signature-shape"},
		"with SHA-1":              {strings.Replace(signed, "xmlenc#sha256", "xmldsig#sha1", 1), "xml-signature-shape"},
		"as HMAC":                 {strings.Replace(signed, "#ecdsa-sha256", "#hmac-sha256", 1), "signature-algorithm"},
		"as RSA":                  {strings.Replace(signed, "#ecdsa-sha256", "#rsa-sha256", 1), "signature-algorithm"},
		"the identifier twice":    {strings.Replace(signed, "<e/>", `<e id="`+between(signed, `Id="properties-`)+`"/>`, 1), "xml-signature-shape"},
	} {
		_, err := document.ReadXML([]byte(c.in))
		if err == nil || warifu.ProblemOf(err).Problem != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	// Another's certificate: SigningCertificateV2 pins the signer's.
	other := signXML(t, taxReturn, taro().certificate, taro().key)
	mixed := strings.Replace(signed, cut(signed, "<ds:X509Certificate>", "</ds:X509Certificate>"), cut(string(other), "<ds:X509Certificate>", "</ds:X509Certificate>"), 1)
	if _, err := document.ReadXML([]byte(mixed)); err == nil {
		t.Error("another's certificate is taken")
	}
}

// between returns an attribute's value that begins with the mark's.
func between(s, mark string) string {
	rest := s[strings.Index(s, mark)+len(`Id="`):]
	return rest[:strings.Index(rest, `"`)]
}

func cut(s, from, to string) string {
	i := strings.Index(s, from)
	if i < 0 {
		return ""
	}
	rest := s[i+len(from):]
	j := strings.Index(rest, to)
	if j < 0 {
		return ""
	}
	return rest[:j]
}

func TestXMLThatMayMeanSomethingElseElsewhereIsRefused(t *testing.T) {
	for what, in := range map[string]string{
		"a document type": `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, "an entity": "<a>&nbsp;</a>", "no root": "<!-- -->", "two roots": "<a/><b/>", "text outside": "<a/>x",
		"an attribute twice": `<a b="1" b="2"/>`, "twice by namespace": `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, "an undeclared prefix": "<p:a/>",
		"a tab in an attribute": "<a b=\"1\t2\"/>", "another encoding": `<?xml version="1.0" encoding="Shift_JIS"?><a/>`, "a byte order mark": "\xef\xbb\xbf<a/>", "crossed": "<a><b></a></b>",
		"not closed": "<a><b/>", "too deep": strings.Repeat("<a>", 300) + strings.Repeat("</a>", 300), "a namespace undone": `<a xmlns:p="u"><b xmlns:p=""/></a>`, "two colons": `<a:b:c xmlns:a="u"/>`,
	} {
		_, err := document.PrepareXML([]byte(in), hanako().certificate, now)
		if err == nil || warifu.ProblemOf(err).Problem != "xml-malformed" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := document.ReadXML(bytes.Repeat([]byte(" "), document.MaxXML+1)); warifu.ProblemOf(err).Problem != "xml-too-large" {
		t.Error(err)
	}
}

func FuzzReadXML(f *testing.F) {
	f.Add([]byte(taxReturn))
	f.Add(signXML(f, taxReturn, hanako().certificate, hanako().key))
	f.Add([]byte("<a/>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if x, err := document.ReadXML(in); err == nil {
			_ = x.Verify()
		}
		p, err := document.PrepareXML(in, hanako().certificate, now)
		if err != nil {
			return
		}
		digest := p.Digest()
		signature, err := hanako().key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Finish(signature, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := document.ReadXML(out); err != nil {
			t.Fatalf("what was signed is not read: %v\n%s", err, out)
		}
	})
}
