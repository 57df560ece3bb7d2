package warifu

import "time"

// Intent is what a certification authority writes down before it signs: the
// to-be-signed octets with the serial number in them (design §3.5). A signature
// that exists without its intent is the worst thing that could happen to the
// house, so none is ever made.
type Intent struct {
	Kind      Kind
	Document  Digest // identity of the application document; one certificate of a kind each
	PublicKey Digest // SHA-256 of the SubjectPublicKeyInfo; never certified twice
	Index     uint64 // the serial's place in the authority's index space
	Serial    []byte // 17 octets, big-endian
	TBS       []byte // DER tbsCertificate; the only octets ever signed for this intent
	CreatedAt time.Time
	// Certificate is the recorded certificate, nil until recorded.
	Certificate []byte
}

// IntentResult answers one Intent handed to a ledger: the row that stands now
// (a new one, or the one recorded earlier for the same document and key) or the
// reason why none may stand.
type IntentResult struct {
	Intent Intent
	Err    error
}

// IssuedCertificate is a certificate to be recorded for the intent with its serial.
type IssuedCertificate struct {
	Serial      []byte
	Certificate []byte
}
