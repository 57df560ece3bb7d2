package attest

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Presence is what an authentication key signs (design §3.8). The verifier
// rebuilds it from its own values, so an answer given to one audience is refused
// at another, and an answer for one purpose never serves for another.
type Presence struct {
	Purpose     string    // "login", "personalize", …
	ClientID    string    // audience: who asks
	Origin      string    // audience: where, scheme://host[:port]
	Nonce       []byte    // the asker's, at least 16 octets
	Transaction string    // the asker's identifier of this transaction
	Time        time.Time // of the question, to the second
}

const presenceLabel = "warifu-auth-v1"

// Bytes encodes: label, then each field behind its length in two octets, then the
// time as seconds since 1970 in eight.
func (p Presence) Bytes() []byte {
	out := []byte(presenceLabel)
	for _, f := range [][]byte{[]byte(p.Purpose), []byte(p.ClientID), []byte(p.Origin), p.Nonce, []byte(p.Transaction)} {
		out = binary.BigEndian.AppendUint16(out, uint16(min(len(f), 0xFFFF)))
		out = append(out, f[:min(len(f), 0xFFFF)]...)
	}
	return binary.BigEndian.AppendUint64(out, uint64(p.Time.Unix()))
}

// Digest returns SHA-256 of Bytes.
func (p Presence) Digest() [sha256.Size]byte { return sha256.Sum256(p.Bytes()) }
