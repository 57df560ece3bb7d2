package cms

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"

	"warifu"
)

// Verify checks that the signature is the signer's and covers the content; it
// checks no certificate. For a detached message content is the document; for an
// attached one it is nil, or the document again, which must then be the same.
// Errors: Invalid "signature-content-absent", Refused "signature-content-mismatch",
// Refused "signature-invalid".
func (m *Message) Verify(content []byte) error {
	switch {
	case !m.Detached && content == nil:
		content = m.Content
	case !m.Detached && !bytes.Equal(content, m.Content):
		return warifu.Refused("signature-content-mismatch")
	case content == nil:
		return warifu.Invalid("signature-content-absent")
	}
	return m.VerifyDigest(sha256.Sum256(content))
}

// VerifyDigest is Verify for who holds only SHA-256 of the content, as for a large
// document read once.
func (m *Message) VerifyDigest(digest [sha256.Size]byte) error {
	if subtle.ConstantTimeCompare(digest[:], m.digest[:]) != 1 {
		return warifu.Refused("signature-content-mismatch")
	}
	return CheckSignature(m.Signer.PublicKey, sha256.Sum256(m.attributes), m.Signature)
}

// Digest returns SHA-256 of the content as the signed attributes state it; for an
// application document this is its identity (design §3.1). Believe it after Verify.
func (m *Message) Digest() [sha256.Size]byte { return m.digest }
