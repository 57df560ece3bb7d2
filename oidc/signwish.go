package oidc

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"warifu"
	"warifu/attest"
	"warifu/document"
	"warifu/jpki"
)

// The modes of signing: what is signed, and what the relying party gets.
const (
	ModeDigest      = "digest"       // a bare signature over the document's SHA-256, and the certificate
	ModeDigestInfo  = "digestinfo"   // the same, asked for with the DigestInfo of PKCS #1
	ModeCMS         = "cms"          // a CMS message beside the document (CAdES)
	ModeCMSAttached = "cms-attached" // one with the document in it
	ModePDF         = "pdf"          // the PDF file with a signature in it (PAdES)
	ModeXML         = "xml"          // the XML document with a signature in it (XAdES)
)

// SignModes are all of them.
var SignModes = []string{ModeDigest, ModeDigestInfo, ModeCMS, ModeCMSAttached, ModePDF, ModeXML}

const (
	// MaxSignDocument bounds a document that a relying party wants signed, in octets: it is
	// kept until it is, and the phone fetches it.
	MaxSignDocument = 8 << 20
	// MaxSignName bounds what it is called, in octets of UTF-8.
	MaxSignName = 200
)

// SignWish is a document that a relying party wants signed. What is signed has to be shown: the
// document comes with its digest, always.
type SignWish struct {
	Name string // for the person, one line
	Mode string
	// Digest is SHA-256 of Document. Of ModeDigestInfo there is DigestInfo in its place: DER,
	// with SHA-256 and NULL parameters as RFC 8017 §9.2 has it, 51 octets.
	Digest, DigestInfo []byte
	Document           []byte
}

// check refuses what nobody shall be asked to sign. The order is from the cheap to the dear.
func (w SignWish) check() error {
	if !slices.Contains(SignModes, w.Mode) {
		return warifu.Invalid("sign-mode-unknown", "modes", strings.Join(SignModes, ", "))
	}
	if !oneLine(w.Name, MaxSignName) {
		return warifu.Invalid("sign-name-malformed", "limit", strconv.Itoa(MaxSignName))
	}
	digest, err := w.digest()
	if err != nil {
		return err
	}
	switch {
	case len(w.Document) == 0:
		return warifu.Invalid("sign-document-absent")
	case len(w.Document) > MaxSignDocument:
		return warifu.TooLarge("sign-document-too-large", "limit", strconv.Itoa(MaxSignDocument>>20))
	case sha256.Sum256(w.Document) != digest:
		return warifu.Invalid("sign-digest-mismatch")
	}
	return signable(w.Mode, w.Document)
}

// signable refuses documents that are not of the mode, and those whose signature would be
// something else (attest.Reserved).
func signable(mode string, octets []byte) error {
	switch mode {
	case ModePDF:
		return document.PDFTakesSignature(octets)
	case ModeXML:
		return document.XMLTakesSignature(octets)
	}
	if attest.Reserved(octets) {
		return warifu.Refused("sign-document-reserved")
	}
	return nil
}

// digest reads the digest in the one form the mode wants.
func (w SignWish) digest() (digest [sha256.Size]byte, err error) {
	if w.Mode == ModeDigestInfo {
		if len(w.Digest) > 0 {
			return digest, warifu.Invalid("sign-digest-malformed", "wanted", "digestInfo")
		}
		return parseDigestInfo(w.DigestInfo)
	}
	if len(w.DigestInfo) > 0 || len(w.Digest) != len(digest) {
		return digest, warifu.Invalid("sign-digest-malformed", "wanted", "digest")
	}
	copy(digest[:], w.Digest)
	return digest, nil
}

// parseDigestInfo takes the one encoding of DigestInfo(SHA-256) that a chip signs. Errors:
// Invalid "sign-algorithm-unsupported" with the identifier of another hash, or
// "sign-digest-malformed".
func parseDigestInfo(der []byte) (digest [sha256.Size]byte, err error) {
	malformed := warifu.Invalid("sign-digest-malformed", "wanted", "digestInfo")
	var info struct {
		Algorithm struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Digest []byte
	}
	if len(der) > 128 {
		return digest, malformed
	}
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return digest, malformed
	}
	if !info.Algorithm.Algorithm.Equal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}) {
		return digest, warifu.Invalid("sign-algorithm-unsupported", "algorithm", info.Algorithm.Algorithm.String())
	}
	if len(info.Digest) != len(digest) {
		return digest, malformed
	}
	copy(digest[:], info.Digest)
	if !bytes.Equal(jpki.DigestInfoSHA256(digest), der) {
		return digest, malformed
	}
	return digest, nil
}

// oneLine reports whether a text shows as what it is, in one line: letters, digits, signs and
// blanks, nothing that moves, hides or turns the text around it.
func oneLine(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' })
}
