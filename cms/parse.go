package cms

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/signed"
)

const (
	// MaxPaper bounds messages that carry one of our own papers, such as an
	// application document: 64 KiB, everything included.
	MaxPaper = 64 << 10
	// MaxMessage bounds messages in general, content included: 64 MiB.
	MaxMessage = 64 << 20
	// maxFrame bounds what surrounds the content: certificates, attributes, signature.
	maxFrame = 64 << 10

	maxCertificates = 8
	maxAttributes   = 16
)

// Message is a parsed message. Parsing checks its shape; nothing in it is to be
// believed before Verify, and nobody's name before the certificate's chain was
// checked (package verify).
type Message struct {
	ContentType  asn1.ObjectIdentifier
	Content      []byte // nil when Detached
	Detached     bool
	Signer       *x509.Certificate   // the certificate the signature names
	Certificates []*x509.Certificate // all that travel along, Signer included
	SigningTime  time.Time           // the signer's claim, UTC; zero when absent
	Signature    []byte
	Timestamp    []byte // the token over SHA-256 of Signature (RFC 3161 appendix A); nil: none. Unverified
	Raw          []byte // the whole DER

	digest     [sha256.Size]byte // of the content, as the attributes claim
	attributes []byte            // DER SET OF Attribute: what is signed
}

// Parse reads a message of at most MaxMessage octets. Errors: Invalid
// "signature-malformed" with parameter "what", Refused "signature-algorithm",
// Refused "signature-key-unsupported", TooLarge "signature-too-large".
func Parse(der []byte) (*Message, error) { return ParseWithin(der, MaxMessage) }

// ParsePaper is Parse for messages of at most MaxPaper octets, remembered (signed.Read):
// an application's document is parsed by each authority. The message is shared and must
// not be changed.
func ParsePaper(der []byte) (*Message, error) {
	if len(der) > MaxPaper {
		return nil, warifu.TooLarge("signature-too-large")
	}
	return papers.Of(der)
}

var papers = signed.NewRead(func(der []byte) (*Message, error) {
	return ParseWithin(bytes.Clone(der), MaxPaper) // a message points into its octets
})

// ParseWithin is Parse for messages of at most limit octets.
func ParseWithin(der []byte, limit int) (*Message, error) {
	if len(der) > limit {
		return nil, warifu.TooLarge("signature-too-large")
	}
	data, err := openContentInfo(der)
	if err != nil {
		return nil, err
	}
	m := &Message{Raw: der}
	signerInfo, err := m.readSignedData(data)
	if err != nil {
		return nil, err
	}
	if len(der)-len(m.Content) > maxFrame {
		return nil, warifu.TooLarge("signature-too-large")
	}
	if err := m.readSignerInfo(signerInfo); err != nil {
		return nil, err
	}
	return m, nil
}

func malformed(what string) error { return warifu.Invalid("signature-malformed", "what", what) }

// openContentInfo returns the body of the SignedData SEQUENCE.
func openContentInfo(der []byte) (cryptobyte.String, error) {
	in := cryptobyte.String(der)
	var info, explicit, data cryptobyte.String
	var contentType asn1.ObjectIdentifier
	switch {
	case !in.ReadASN1(&info, cbasn1.SEQUENCE):
		return nil, malformed("ContentInfo")
	case !in.Empty():
		return nil, malformed("trailing octets")
	case !info.ReadASN1ObjectIdentifier(&contentType) || !contentType.Equal(oidSignedData):
		return nil, malformed("contentType is not signedData")
	case !info.ReadASN1(&explicit, tagExplicit0) || !info.Empty(),
		!explicit.ReadASN1(&data, cbasn1.SEQUENCE) || !explicit.Empty():
		return nil, malformed("SignedData")
	}
	return data, nil
}

// readSignedData fills in content and certificates and returns the body of the one SignerInfo.
func (m *Message) readSignedData(data cryptobyte.String) (cryptobyte.String, error) {
	var version int64
	var digests, encapsulated, signers, signer cryptobyte.String
	if !data.ReadASN1Integer(&version) {
		return nil, malformed("version")
	}
	if !data.ReadASN1(&digests, cbasn1.SET) || digests.Empty() {
		return nil, malformed("digestAlgorithms")
	}
	if err := readSHA256(&digests); err != nil {
		return nil, err
	}
	if !digests.Empty() {
		return nil, malformed("more than one digestAlgorithm")
	}
	if !data.ReadASN1(&encapsulated, cbasn1.SEQUENCE) || !m.readContent(encapsulated) {
		return nil, malformed("encapContentInfo")
	}
	if version != signedDataVersion(m.ContentType) {
		return nil, malformed("version")
	}
	if err := m.readCertificates(&data); err != nil {
		return nil, err
	}
	if data.PeekASN1Tag(tagExplicit1) {
		return nil, malformed("crls")
	}
	if !data.ReadASN1(&signers, cbasn1.SET) || !data.Empty() || !signers.ReadASN1(&signer, cbasn1.SEQUENCE) {
		return nil, malformed("signerInfos")
	}
	if !signers.Empty() {
		return nil, malformed("more than one signer")
	}
	return signer, nil
}

func (m *Message) readContent(in cryptobyte.String) bool {
	if !in.ReadASN1ObjectIdentifier(&m.ContentType) {
		return false
	}
	if in.Empty() {
		m.Detached = true
		return true
	}
	var explicit, content cryptobyte.String
	ok := in.ReadASN1(&explicit, tagExplicit0) && in.Empty() &&
		explicit.ReadASN1(&content, cbasn1.OCTET_STRING) && explicit.Empty()
	m.Content = content
	return ok
}

func (m *Message) readCertificates(data *cryptobyte.String) error {
	var set cryptobyte.String
	if !data.ReadASN1(&set, tagExplicit0) || set.Empty() {
		return malformed("certificates")
	}
	var previous []byte
	for !set.Empty() {
		var der cryptobyte.String
		if !set.ReadASN1Element(&der, cbasn1.SEQUENCE) || len(m.Certificates) == maxCertificates {
			return malformed("certificates")
		}
		if bytes.Equal(previous, der) {
			return malformed("a certificate twice")
		}
		if bytes.Compare(previous, der) > 0 {
			return malformed("order of certificates")
		}
		previous = der
		c, err := signed.Parsed(der)
		if err != nil {
			return warifu.Invalid("signature-malformed", "what", "certificate").With(err)
		}
		m.Certificates = append(m.Certificates, c)
	}
	return nil
}

// readSignerInfo reads RFC 5652 §5.3 and finds the certificate it names.
func (m *Message) readSignerInfo(in cryptobyte.String) error {
	var version int64
	var sid, attributes cryptobyte.String
	if !in.ReadASN1Integer(&version) || version != 1 || !in.ReadASN1(&sid, cbasn1.SEQUENCE) {
		return malformed("signer identifier")
	}
	if err := m.findSigner(sid); err != nil {
		return err
	}
	if err := readSHA256(&in); err != nil {
		return err
	}
	if !in.ReadASN1Element(&attributes, tagExplicit0) {
		return malformed("signedAttrs absent")
	}
	m.attributes = bytes.Clone(attributes)
	m.attributes[0] = byte(cbasn1.SET)
	algorithm, err := m.readSignatureAlgorithm(&in)
	if err != nil {
		return err
	}
	var signature cryptobyte.String
	if !in.ReadASN1(&signature, cbasn1.OCTET_STRING) {
		return malformed("signature")
	}
	m.Signature = signature
	if err := m.readUnsigned(&in); err != nil {
		return err
	}
	return m.readAttributes(algorithm)
}

func (m *Message) findSigner(sid cryptobyte.String) error {
	var issuer, serial cryptobyte.String
	if !sid.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || !sid.ReadASN1(&serial, cbasn1.INTEGER) || !sid.Empty() {
		return malformed("signer identifier")
	}
	for _, c := range m.Certificates {
		if bytes.Equal(c.RawIssuer, issuer) && bytes.Equal(integerOctets(c), serial) {
			if m.Signer != nil {
				return malformed("two certificates for the signer")
			}
			m.Signer = c
		}
	}
	if m.Signer == nil {
		return malformed("the signer's certificate is absent")
	}
	return nil
}

// integerOctets returns the DER content octets of the certificate's serial number.
func integerOctets(c *x509.Certificate) []byte {
	octets := c.SerialNumber.Bytes()
	if len(octets) == 0 || octets[0]&0x80 != 0 {
		return append([]byte{0}, octets...)
	}
	return octets
}

// readSHA256 reads an AlgorithmIdentifier that must be SHA-256, with parameters
// absent or NULL (RFC 5754 §2 asks for both to be accepted).
func readSHA256(in *cryptobyte.String) error {
	oid, ok := readAlgorithm(in)
	if !ok {
		return malformed("digestAlgorithm")
	}
	if !oid.Equal(oidSHA256) {
		return warifu.Refused("signature-algorithm", "algorithm", oid.String())
	}
	return nil
}

// readSignatureAlgorithm reads the signature's AlgorithmIdentifier and holds it
// against the signer's key. It returns the element, for the algorithm protection
// attribute to be compared with.
func (m *Message) readSignatureAlgorithm(in *cryptobyte.String) (asn1.ObjectIdentifier, error) {
	oid, ok := readAlgorithm(in)
	if !ok {
		return nil, malformed("signatureAlgorithm")
	}
	want, ok := signatureAlgorithm(m.Signer.PublicKey)
	if !ok {
		return nil, warifu.Refused("signature-key-unsupported")
	}
	same := oid.Equal(want) || (want.Equal(oidRSAEncryption) && oid.Equal(oidSHA256WithRSA))
	if !same {
		return nil, warifu.Refused("signature-algorithm", "algorithm", oid.String())
	}
	return oid, nil
}

// readAlgorithm reads an AlgorithmIdentifier whose parameters are absent or NULL.
func readAlgorithm(in *cryptobyte.String) (asn1.ObjectIdentifier, bool) {
	var body, null cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&oid) {
		return nil, false
	}
	if body.Empty() {
		return oid, true
	}
	ok := body.ReadASN1(&null, cbasn1.NULL) && null.Empty() && body.Empty()
	return oid, ok
}
