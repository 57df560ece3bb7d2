package attest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"warifu"
)

// VerbContact is the verb of a card order by which its holder registers another contact; the
// order's reason is the ContactDigest of it. It is no verb of any life.
const VerbContact warifu.Verb = "contact"

// PurposeContact is the purpose of a device request for the same; its subject is the digest.
const PurposeContact = "contact"

// ContactDigest binds a contact, as it is sent, to the request or order that asks for it:
// 64 hexadecimal digits of SHA-256 over the label "warifu-contact-digest-v1", 00, and the three
// parts in UTF-8, each behind its length in octets (4 octets, big-endian).
func ContactDigest(reading, birthDate, telephone string) string {
	h := sha256.New()
	h.Write([]byte("warifu-contact-digest-v1\x00"))
	for _, part := range []string{reading, birthDate, telephone} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part)))) //nolint:gosec // bounded by whoever reads the parts
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}
