package document

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"warifu"
	"warifu/cms"
)

// The algorithms and namespaces that are written and read, and no others.
const (
	spaceSignature  = "http://www.w3.org/2000/09/xmldsig#"
	spaceProperties = "http://uri.etsi.org/01903/v1.3.2#"

	algorithmExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algorithmEnveloped = spaceSignature + "enveloped-signature"
	algorithmSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	algorithmRSA       = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algorithmECDSA     = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

	typeProperties = "http://uri.etsi.org/01903#SignedProperties"
)

// PreparedXML is a document that lacks only its signature.
type PreparedXML struct {
	in         []byte
	at         int // where the signature goes in
	before     string
	signedInfo []byte // canonical
	signature  func(value, unsigned string) string
	signer     *x509.Certificate
}

// PrepareXML prepares an enveloped signature over the whole document (XMLDSig 1.1, XAdES
// baseline, ETSI EN 319 132-1): it becomes the root's last child, and what is there is not
// touched. at, to the second, is the signer's claim. One signature a document: a second one
// would change what the first covers. Errors: Invalid "xml-malformed" with parameter "what", Refused
// "xml-signed-already", "signature-key-unsupported", TooLarge "xml-too-large".
func PrepareXML(in []byte, certificate *x509.Certificate, at time.Time) (*PreparedXML, error) {
	tree, err := openXML(in)
	if err != nil {
		return nil, err
	}
	if len(tree.signatures()) > 0 {
		return nil, warifu.Refused("xml-signed-already")
	}
	if !cms.Supports(certificate.PublicKey) {
		return nil, warifu.Refused("signature-key-unsupported")
	}
	algorithm := algorithmRSA
	if _, ok := certificate.PublicKey.(*ecdsa.PublicKey); ok {
		algorithm = algorithmECDSA
	}
	var mark [8]byte
	_, _ = rand.Read(mark[:]) // crypto/rand never fails
	id := hex.EncodeToString(mark[:])
	properties := propertiesXML(id, certificate, at)
	p := &PreparedXML{in: in, at: tree.root.close, signer: certificate}
	if tree.root.empty {
		p.before = "</" + qualified(tree.root.prefix, tree.root.local) + ">"
	}
	p.signature = func(value, unsigned string) string {
		return `<ds:Signature xmlns:ds="` + spaceSignature + `" Id="signature-` + id + `">` +
			signedInfoXML(id, algorithm, sha256.Sum256(tree.canonical(nil)), digestOf(properties)) +
			`<ds:SignatureValue Id="value-` + id + `">` + value + `</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` +
			base64.StdEncoding.EncodeToString(certificate.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object>` +
			`<xades:QualifyingProperties xmlns:xades="` + spaceProperties + `" Target="#signature-` + id + `">` + properties + unsigned +
			`</xades:QualifyingProperties></ds:Object></ds:Signature>`
	}
	again, err := parseXML(p.insert(p.signature("", "")))
	if err != nil {
		return nil, malformedXML(err)
	}
	info, _ := again.signatures()[0].elements()
	p.signedInfo = info[0].canonical()
	return p, nil
}

// digestOf digests the signed properties as their reference will: they declare no
// namespace of their own and use two.
func digestOf(properties string) [sha256.Size]byte {
	tree, err := parseXML([]byte(`<x xmlns:ds="` + spaceSignature + `" xmlns:xades="` + spaceProperties + `">` + properties + `</x>`))
	if err != nil {
		panic("document: our own properties cannot be read: " + err.Error())
	}
	children, _ := tree.root.elements()
	return sha256.Sum256(children[0].canonical())
}

func propertiesXML(id string, certificate *x509.Certificate, at time.Time) string {
	digest := sha256.Sum256(certificate.Raw)
	return `<xades:SignedProperties Id="properties-` + id + `"><xades:SignedSignatureProperties><xades:SigningTime>` +
		at.UTC().Format("2006-01-02T15:04:05Z") + `</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="` +
		algorithmSHA256 + `"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) +
		`</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>` +
		`<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#document-` + id + `"><xades:MimeType>text/xml</xades:MimeType>` +
		`</xades:DataObjectFormat></xades:SignedDataObjectProperties></xades:SignedProperties>`
}

func signedInfoXML(id, algorithm string, document, properties [sha256.Size]byte) string {
	transform := func(a string) string { return `<ds:Transform Algorithm="` + a + `"></ds:Transform>` }
	reference := func(attributes, transforms string, digest [sha256.Size]byte) string {
		return `<ds:Reference ` + attributes + `><ds:Transforms>` + transforms + `</ds:Transforms><ds:DigestMethod Algorithm="` + algorithmSHA256 +
			`"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference>`
	}
	return `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="` + algorithmExclusive + `"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="` +
		algorithm + `"></ds:SignatureMethod>` +
		reference(`Id="document-`+id+`" URI=""`, transform(algorithmEnveloped)+transform(algorithmExclusive), document) +
		reference(`Type="`+typeProperties+`" URI="#properties-`+id+`"`, transform(algorithmExclusive), properties) + `</ds:SignedInfo>`
}

// insert returns the document with the signature in its place.
func (p *PreparedXML) insert(signature string) []byte {
	var b bytes.Buffer
	b.Write(p.in[:p.at])
	if p.before != "" { // an empty root is opened
		b.WriteByte('>')
	}
	b.WriteString(signature)
	if p.before != "" {
		b.WriteString(p.before)
		b.Write(p.in[p.at+len("/>"):])
		return b.Bytes()
	}
	b.Write(p.in[p.at:])
	return b.Bytes()
}

// Digest is what the key signs: SHA-256 of the canonical SignedInfo.
func (p *PreparedXML) Digest() [sha256.Size]byte { return sha256.Sum256(p.signedInfo) }

// SignedInfo returns what Digest is the digest of.
func (p *PreparedXML) SignedInfo() []byte { return bytes.Clone(p.signedInfo) }

// Imprint returns what a time-stamp on the signature has to be over: SHA-256 of the
// canonical SignatureValue (XAdES §5.3). Error as Finish.
func (p *PreparedXML) Imprint(signature []byte) ([sha256.Size]byte, error) {
	out, err := p.Finish(signature, nil)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	read, err := ReadXML(out)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return read.Imprint, nil
}

// Finish checks the signature, as the key made it (RSA PKCS #1 v1.5, or ECDSA in DER),
// and returns the signed document. token, where not nil, is a time-stamp token over
// Imprint: then the document is XAdES-B-T. Errors: those of cms.CheckSignature, Invalid
// "signature-malformed".
func (p *PreparedXML) Finish(signature, token []byte) ([]byte, error) {
	if err := cms.CheckSignature(p.signer.PublicKey, p.Digest(), signature); err != nil {
		return nil, err
	}
	value := signature
	if key, ok := p.signer.PublicKey.(*ecdsa.PublicKey); ok {
		var err error
		if value, err = plainECDSA(signature, (key.Curve.Params().BitSize+7)/8); err != nil {
			return nil, err
		}
	}
	unsigned := ""
	if token != nil {
		unsigned = `<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="` +
			algorithmExclusive + `"></ds:CanonicalizationMethod><xades:EncapsulatedTimeStamp>` + base64.StdEncoding.EncodeToString(token) +
			`</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>`
	}
	return p.insert(p.signature(base64.StdEncoding.EncodeToString(value), unsigned)), nil
}

func openXML(in []byte) (*xmlTree, error) {
	if len(in) > MaxXML {
		return nil, warifu.TooLarge("xml-too-large")
	}
	tree, err := parseXML(in)
	if err != nil {
		return nil, malformedXML(err)
	}
	return tree, nil
}

func malformedXML(err error) error {
	return warifu.Invalid("xml-malformed", "what", strings.TrimPrefix(fmt.Sprint(err), "XML syntax error "))
}

// signatures returns every ds:Signature of the document, wherever it stands.
func (t *xmlTree) signatures() (out []*element) {
	t.root.walk(func(e *element) {
		if e.is(spaceSignature, "Signature") {
			out = append(out, e)
		}
	})
	return out
}
