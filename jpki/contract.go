package jpki

import (
	"warifu"
)

// AID names the JPKI application on card and phone (docs/card-facts.md §1.2, §4).
var AID = []byte{0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}

// FileID is the two-octet identifier of an elementary file (ISO/IEC 7816-4 §7.4.1). Its
// low five bits are the short identifier.
type FileID uint16

// The elementary files of the JPKI application (docs/card-facts.md §1.4).
const (
	FileSignatureCertificate      FileID = 0x0001 // 署名用電子証明書, DER; opened by the signature password
	FileSignatureCA               FileID = 0x0002 // its CA's certificate, free
	FileToken                     FileID = 0x0006 // token information, free
	FilePresence                  FileID = 0x0008 // which certificates are there, free
	FileAuthenticationCertificate FileID = 0x000A // 利用者証明用電子証明書, DER; free on the card, PIN on the phone
	FileAuthenticationCA          FileID = 0x000B // its CA's certificate, free
	FileTerminalCA                FileID = 0x0016 // reference to the key that terminals' certificates are checked with
	FileAuthenticationKey         FileID = 0x0017
	FileAuthenticationPIN         FileID = 0x0018
	FileSignatureKey              FileID = 0x001A
	FileSignaturePassword         FileID = 0x001B
)

// Short is the file's short identifier (ISO/IEC 7816-4 §7.4.1).
func (f FileID) Short() byte { return byte(f) & 0x1F }

// CertificateFile, CAFile, KeyFile and SecretFile are the files of one kind.
func CertificateFile(kind warifu.Kind) FileID {
	return pick(kind, FileSignatureCertificate, FileAuthenticationCertificate)
}

// CAFile holds the certificate of the authority that issued a kind's certificate.
func CAFile(kind warifu.Kind) FileID { return pick(kind, FileSignatureCA, FileAuthenticationCA) }

// KeyFile holds a kind's private key; it signs and is never read.
func KeyFile(kind warifu.Kind) FileID { return pick(kind, FileSignatureKey, FileAuthenticationKey) }

// SecretFile holds a kind's password or PIN; it is compared with and never read.
func SecretFile(kind warifu.Kind) FileID {
	return pick(kind, FileSignaturePassword, FileAuthenticationPIN)
}

func pick(kind warifu.Kind, signature, authentication FileID) FileID {
	if kind == warifu.Signature {
		return signature
	}
	return authentication
}

// SecretRule is the form of a password or PIN as the chip itself enforces it. It is
// the same on card (docs/card-facts.md §1.7) and phone (R26, R27).
type SecretRule struct {
	Min, Max int  // octets
	Letters  bool // A–Z besides 0–9
	Tries    int  // wrong attempts in a row until it is blocked
}

// The rules of CARD-FACTS §1.7.
var (
	SignatureRule      = SecretRule{Min: 6, Max: 16, Letters: true, Tries: 5}
	AuthenticationRule = SecretRule{Min: 4, Max: 4, Tries: 3}
)

// RuleOf returns the rule of a kind's secret.
func RuleOf(kind warifu.Kind) SecretRule {
	if kind == warifu.Signature {
		return SignatureRule
	}
	return AuthenticationRule
}

// Allows reports whether octets have the rule's form. Whatever a chip is asked to
// store must; what it is asked to compare need not, and costs a try.
func (r SecretRule) Allows(octets []byte) bool {
	if len(octets) < r.Min || len(octets) > r.Max {
		return false
	}
	for _, o := range octets {
		digit := o >= '0' && o <= '9'
		letter := r.Letters && o >= 'A' && o <= 'Z'
		if !digit && !letter {
			return false
		}
	}
	return true
}

// digestInfoPrefix is the DER of DigestInfo up to a SHA-256 value, with NULL parameters
// (RFC 8017 §9.2 note 1).
var digestInfoPrefix = []byte{
	0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
}

// DigestInfoSHA256 is what COMPUTE SIGNATURE is given for a document of this SHA-256
// value: 51 octets.
func DigestInfoSHA256(digest [32]byte) []byte {
	return append(append(make([]byte, 0, len(digestInfoPrefix)+len(digest)), digestInfoPrefix...), digest[:]...)
}

// DigestOfInfo returns the SHA-256 value inside a DigestInfo, if it is one.
func DigestOfInfo(info []byte) (digest [32]byte, ok bool) {
	n := len(digestInfoPrefix)
	if len(info) != n+len(digest) || string(info[:n]) != string(digestInfoPrefix) {
		return digest, false
	}
	copy(digest[:], info[n:])
	return digest, true
}
