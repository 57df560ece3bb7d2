package attest

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base32"
	"strings"
	"time"

	"warifu"
)

// CleanCode is a clean-phone proof as it stands in a QR code or a message: the chip's word
// with its maker's certificates, so that whoever reads it needs nothing but the maker's
// root, and no network. It names the marketplace, its nonce and the phone's identifiers, and
// nothing of a person.
type CleanCode struct {
	Proof []byte   // CleanProof in its envelope
	Chain [][]byte // leaf first, DER
}

type wireCleanCode struct {
	Version int
	Proof   []byte
	Chain   [][]byte
}

// CleanCodePrefix begins the text of a code and tells its version.
const CleanCodePrefix = "WARIFU-CLEAN1:"

// MaxCleanCode bounds the text, in characters: what the largest QR code (version 40, level
// L) holds of its alphanumeric characters (ISO/IEC 18004 table 7).
const MaxCleanCode = 4296

// maxCleanChain bounds the maker's certificates.
const maxCleanChain = 4

// codeLetters is base32 (RFC 4648): all of it belongs to the alphanumeric characters of a
// QR code, and, other than base45's, survives being pasted into a message.
var codeLetters = base32.StdEncoding.WithPadding(base32.NoPadding)

// Text writes the code as text. TooLarge "clean-code-too-large" where the marketplace asked
// for more identifiers than a QR code holds.
func (c CleanCode) Text() (string, error) {
	body, err := asn1.Marshal(wireCleanCode{1, c.Proof, c.Chain})
	if err != nil {
		return "", err
	}
	out := CleanCodePrefix + codeLetters.EncodeToString(body)
	if len(out) > MaxCleanCode {
		return "", warifu.TooLarge("clean-code-too-large")
	}
	return out, nil
}

// ParseCleanCode is the inverse of Text. White space anywhere, as messages put it, and lower
// case do no harm. It believes nothing: Check does. Errors: "clean-code-malformed",
// "clean-code-too-large".
func ParseCleanCode(text string) (CleanCode, error) {
	malformed := warifu.Invalid("clean-code-malformed")
	if len(text) > 2*MaxCleanCode {
		return CleanCode{}, warifu.TooLarge("clean-code-too-large")
	}
	plain := strings.ToUpper(strings.Join(strings.Fields(text), ""))
	letters, ours := strings.CutPrefix(plain, CleanCodePrefix)
	if !ours || len(plain) > MaxCleanCode {
		return CleanCode{}, malformed
	}
	body, err := codeLetters.DecodeString(letters)
	if err != nil || codeLetters.EncodeToString(body) != letters {
		return CleanCode{}, malformed.With(err)
	}
	var w wireCleanCode
	if err := parseStrict(ContextCleanProof, body, &w); err != nil {
		return CleanCode{}, malformed.With(err)
	}
	if w.Version != 1 || len(w.Proof) == 0 || len(w.Chain) == 0 || len(w.Chain) > maxCleanChain {
		return CleanCode{}, malformed
	}
	return CleanCode{w.Proof, w.Chain}, nil
}

// Said is what the code claims, believed by nobody yet: to show, or to ask the authority with.
func (c CleanCode) Said() (CleanProof, error) {
	body, err := Peek(ContextCleanProof, c.Proof)
	if err != nil {
		return CleanProof{}, err
	}
	return parseCleanProof(body)
}

// Check opens the code with nothing but the makers' roots: the chip's word at the time of
// the question. Of what was since, and of certificates on their way, it says nothing. Errors:
// those of the chain and of the paper; "clean-proof-time" for a question ahead of now.
func (c CleanCode) Check(makers *x509.CertPool, now time.Time) (CleanProof, error) {
	pub, element, err := VerifyChain(c.Chain, makers, now)
	if err != nil {
		return CleanProof{}, err
	}
	said, err := OpenCleanProof(c.Proof, pub)
	switch {
	case err != nil:
		return CleanProof{}, err
	case said.Element != element:
		return CleanProof{}, warifu.Refused("clean-proof-other")
	case said.Time.Sub(now) > CleanAhead:
		return CleanProof{}, warifu.Refused("clean-proof-time")
	}
	return said, nil
}

// CleanAhead is how far the time of a marketplace's question may lie ahead of the clock of
// who checks the answer.
const CleanAhead = 5 * time.Minute

// MaxListings is how many questions of marketplaces the holder of a chip is told of and
// shown at one time, the oldest first: a flood of them must not drown the holder.
const MaxListings = 5
