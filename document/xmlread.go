package document

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/cms"
)

// XML is a signed document as it was read: its signature covers everything but itself.
// That it is the signer's is for Verify to check, and who the signer is for package verify.
type XML struct {
	Signer       *x509.Certificate
	Certificates []*x509.Certificate // all that travel along, Signer included
	SigningTime  time.Time           // the signer's claim
	Timestamp    []byte              // the token over Imprint; nil: none. Unverified
	Imprint      [sha256.Size]byte   // SHA-256 of the canonical SignatureValue

	signedInfo []byte
	signature  []byte // RSA, or ECDSA in DER
}

// Verify checks that the signature is the signer's. Errors as cms.CheckSignature.
func (x *XML) Verify() error {
	return cms.CheckSignature(x.Signer.PublicKey, sha256.Sum256(x.signedInfo), x.signature)
}

// SignedInfo returns the canonical octets that are signed.
func (x *XML) SignedInfo() []byte { return x.signedInfo }

// Signature returns the signature's octets, ECDSA in DER.
func (x *XML) Signature() []byte { return x.signature }

// ReadXML reads the one signature of a document. It takes no shape but that which
// PrepareXML makes, whoever made it: a child of the root, with one reference to the whole document
// and one to its own signed properties. References by identifier, XPath, XSLT and other
// transforms are what signature wrapping is made of, and are refused. The digests are
// checked. Errors: Invalid "xml-malformed", "xml-unsigned", Refused "xml-signature-shape" with parameter
// "what", Refused "signature-content-mismatch" where the document is not what was signed,
// "signature-certificate-mismatch", TooLarge "xml-too-large".
func ReadXML(in []byte) (*XML, error) {
	tree, err := openXML(in)
	if err != nil {
		return nil, err
	}
	found := tree.signatures()
	switch {
	case len(found) == 0:
		return nil, warifu.Invalid("xml-unsigned")
	case len(found) > 1:
		return nil, shape("more than one signature")
	case found[0].parent != tree.root:
		return nil, shape("the signature is not the root's child")
	}
	r := &xmlReader{tree: tree, signature: found[0]}
	if err := r.parts(); err != nil {
		return nil, err
	}
	out := &XML{signedInfo: r.info.canonical(), Imprint: sha256.Sum256(r.value.canonical())}
	if err := r.signedInfo(out); err != nil {
		return nil, err
	}
	return out, r.qualifying(out)
}

func shape(what string) error { return warifu.Refused("xml-signature-shape", "what", what) }

type xmlReader struct {
	tree                                        *xmlTree
	signature, info, value, key, object, signed *element
	unsigned                                    *element // nil: none
}

// children returns an element's children when they are these, in this order and with
// nothing between; a name with a ? behind it may be absent, and is nil then.
func (e *element) sequence(space string, names ...string) ([]*element, bool) {
	children, only := e.elements()
	out := make([]*element, len(names))
	for i, n := range names {
		name, optional := strings.CutSuffix(n, "?")
		switch {
		case len(children) > 0 && children[0].is(space, name):
			out[i], children = children[0], children[1:]
		case !optional:
			return nil, false
		}
	}
	return out, only && len(children) == 0
}

func (r *xmlReader) parts() error {
	top, ok := r.signature.sequence(spaceSignature, "SignedInfo", "SignatureValue", "KeyInfo", "Object")
	if !ok {
		return shape("parts of the signature")
	}
	r.info, r.value, r.key, r.object = top[0], top[1], top[2], top[3]
	qualifying, ok := r.object.sequence(spaceProperties, "QualifyingProperties")
	if !ok {
		return shape("QualifyingProperties")
	}
	properties, ok := qualifying[0].sequence(spaceProperties, "SignedProperties", "UnsignedProperties?")
	if !ok || qualifying[0].value("Target") != "#"+r.signature.value("Id") || r.signature.value("Id") == "" {
		return shape("QualifyingProperties")
	}
	r.signed, r.unsigned = properties[0], properties[1]
	return nil
}

// signedInfo checks algorithms, references and their digests, and reads the value.
func (r *xmlReader) signedInfo(out *XML) error {
	parts, ok := r.info.sequence(spaceSignature, "CanonicalizationMethod", "SignatureMethod", "Reference", "Reference")
	if !ok || !isAlgorithm(parts[0], algorithmExclusive) {
		return shape("SignedInfo")
	}
	if err := r.certificates(out); err != nil {
		return err
	}
	key, isECDSA := out.Signer.PublicKey.(*ecdsa.PublicKey)
	want := algorithmRSA
	if isECDSA {
		want = algorithmECDSA
	}
	if !isAlgorithm(parts[1], want) {
		return warifu.Refused("signature-algorithm", "algorithm", parts[1].value("Algorithm"))
	}
	value, ok := octetsOf(r.value)
	if !ok {
		return shape("SignatureValue")
	}
	if out.signature = value; isECDSA {
		var err error
		if out.signature, err = derECDSA(value, (key.Curve.Params().BitSize+7)/8); err != nil {
			return err
		}
	}
	document, properties := parts[2], parts[3]
	if document.value("Type") == typeProperties {
		document, properties = properties, document
	}
	if document.value("URI") != "" || !hasAttribute(document, "URI") || document.value("Type") != "" {
		return shape("no reference to the whole document")
	}
	id := r.signed.value("Id")
	if id == "" || properties.value("URI") != "#"+id || properties.value("Type") != typeProperties || !r.once(id) {
		return shape("no reference to its own properties")
	}
	if err := checkReference(document, r.tree.canonical(r.signature), algorithmEnveloped, algorithmExclusive); err != nil {
		return err
	}
	return checkReference(properties, r.signed.canonical(), algorithmExclusive)
}

// once reports whether no other element of the document claims that identifier.
func (r *xmlReader) once(id string) bool {
	claims := 0
	r.tree.root.walk(func(e *element) {
		for _, a := range e.attributes {
			if strings.EqualFold(a.local, "id") && a.value == id {
				claims++
			}
		}
	})
	return claims == 1
}

func hasAttribute(e *element, local string) bool {
	for _, a := range e.attributes {
		if a.prefix == "" && a.local == local {
			return true
		}
	}
	return false
}

// isAlgorithm reports whether the element names the algorithm and gives it no parameters.
func isAlgorithm(e *element, algorithm string) bool {
	children, only := e.elements()
	return e.value("Algorithm") == algorithm && len(children) == 0 && only
}

func checkReference(reference *element, octets []byte, transforms ...string) error {
	parts, ok := reference.sequence(spaceSignature, "Transforms", "DigestMethod", "DigestValue")
	if !ok || !isAlgorithm(parts[1], algorithmSHA256) {
		return shape("Reference")
	}
	list, only := parts[0].elements()
	if !only || len(list) != len(transforms) {
		return shape("Transforms")
	}
	for i, t := range list {
		if !t.is(spaceSignature, "Transform") || !isAlgorithm(t, transforms[i]) {
			return shape("Transforms")
		}
	}
	stated, ok := octetsOf(parts[2])
	digest := sha256.Sum256(octets)
	if !ok || subtle.ConstantTimeCompare(stated, digest[:]) != 1 {
		return warifu.Refused("signature-content-mismatch")
	}
	return nil
}

// octetsOf decodes an element's base64, with white space anywhere in it.
func octetsOf(e *element) ([]byte, bool) {
	text, ok := e.text()
	if !ok {
		return nil, false
	}
	octets, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
	return octets, err == nil && len(octets) > 0
}

// certificates reads the certificates that travel along; the signer's comes first.
func (r *xmlReader) certificates(out *XML) error {
	data, ok := r.key.sequence(spaceSignature, "X509Data")
	if !ok {
		return shape("KeyInfo")
	}
	list, only := data[0].elements()
	if !only || len(list) == 0 || len(list) > 8 {
		return shape("X509Data")
	}
	for _, e := range list {
		der, ok := octetsOf(e)
		if !ok || !e.is(spaceSignature, "X509Certificate") {
			return shape("X509Data")
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return warifu.Invalid("signature-malformed", "what", "certificate").With(err)
		}
		out.Certificates = append(out.Certificates, c)
	}
	out.Signer = out.Certificates[0]
	return nil
}

// qualifying reads the signed properties, which must name the signer's certificate, and
// the time-stamp.
func (r *xmlReader) qualifying(out *XML) error {
	properties, ok := r.signed.sequence(spaceProperties, "SignedSignatureProperties", "SignedDataObjectProperties?")
	if !ok {
		return shape("SignedProperties")
	}
	own, ok := properties[0].sequence(spaceProperties, "SigningTime?", "SigningCertificateV2")
	if !ok {
		return shape("SignedSignatureProperties")
	}
	if own[0] != nil {
		text, _ := own[0].text()
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return shape("SigningTime")
		}
		out.SigningTime = at.UTC()
	}
	certificates, _ := own[1].elements()
	if len(certificates) == 0 || !certificates[0].is(spaceProperties, "Cert") {
		return shape("SigningCertificateV2")
	}
	named, _ := certificates[0].elements()
	if len(named) == 0 || !named[0].is(spaceProperties, "CertDigest") {
		return shape("SigningCertificateV2")
	}
	digest, ok := named[0].sequence(spaceSignature, "DigestMethod", "DigestValue")
	if !ok || !isAlgorithm(digest[0], algorithmSHA256) {
		return shape("CertDigest")
	}
	stated, _ := octetsOf(digest[1])
	if actual := sha256.Sum256(out.Signer.Raw); !bytes.Equal(stated, actual[:]) {
		return warifu.Refused("signature-certificate-mismatch")
	}
	return r.timestamp(out)
}

func (r *xmlReader) timestamp(out *XML) error {
	if r.unsigned == nil {
		return nil
	}
	properties, ok := r.unsigned.sequence(spaceProperties, "UnsignedSignatureProperties")
	if !ok {
		return shape("UnsignedProperties")
	}
	stamp, ok := properties[0].sequence(spaceProperties, "SignatureTimeStamp")
	if !ok {
		return shape("UnsignedSignatureProperties")
	}
	parts, only := stamp[0].elements()
	if !only || len(parts) != 2 || !parts[0].is(spaceSignature, "CanonicalizationMethod") || !isAlgorithm(parts[0], algorithmExclusive) ||
		!parts[1].is(spaceProperties, "EncapsulatedTimeStamp") {
		return shape("SignatureTimeStamp")
	}
	if out.Timestamp, ok = octetsOf(parts[1]); !ok {
		return shape("EncapsulatedTimeStamp")
	}
	return nil
}

// plainECDSA turns ECDSA-Sig-Value into r ‖ s, each of size octets (RFC 4050 §3.3).
func plainECDSA(der []byte, size int) ([]byte, error) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(r) || !body.ReadASN1Integer(s) || !body.Empty() ||
		r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 8*size || s.BitLen() > 8*size {
		return nil, warifu.Invalid("signature-malformed", "what", "ECDSA signature")
	}
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
}

// derECDSA is the inverse; the length must be exact.
func derECDSA(plain []byte, size int) ([]byte, error) {
	if len(plain) != 2*size {
		return nil, warifu.Invalid("signature-malformed", "what", "ECDSA signature")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(plain[:size]))
		b.AddASN1BigInt(new(big.Int).SetBytes(plain[size:]))
	})
	return b.Bytes()
}
