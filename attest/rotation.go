package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"

	"warifu"
)

// ContextNextTicketKey separates the paper that hands a ticket key's office to the next.
const ContextNextTicketKey Context = "warifu-next-ticket-key-v1"

// NextTicketKey names the ticket key that follows the one which signs it. One paper serves
// every chip that has the old key pinned, so it may be published.
type NextTicketKey struct {
	Kind      warifu.Kind
	PublicKey []byte // SubjectPublicKeyInfo, P-256
}

type wireNextTicketKey struct {
	Version   int
	Kind      int
	PublicKey []byte
}

// Seal encodes and signs with the ticket key that goes.
func (n NextTicketKey) Seal(key crypto.Signer) ([]byte, error) {
	body, err := asn1.Marshal(wireNextTicketKey{1, int(n.Kind), n.PublicKey})
	if err != nil {
		return nil, err
	}
	return Seal(ContextNextTicketKey, body, key)
}

// OpenNextTicketKey checks the signature with the ticket key that goes, and decodes.
func OpenNextTicketKey(der []byte, pub *ecdsa.PublicKey) (NextTicketKey, error) {
	if _, err := Open(ContextNextTicketKey, der, pub); err != nil {
		return NextTicketKey{}, err
	}
	return PeekNextTicketKey(der)
}

// PeekNextTicketKey decodes without believing it: for finding out whether it was followed
// already, never for deciding.
func PeekNextTicketKey(der []byte) (NextTicketKey, error) {
	body, err := Peek(ContextNextTicketKey, der)
	if err != nil {
		return NextTicketKey{}, err
	}
	var w wireNextTicketKey
	if err := parseStrict(ContextNextTicketKey, body, &w); err != nil {
		return NextTicketKey{}, err
	}
	key, err := x509.ParsePKIXPublicKey(w.PublicKey)
	p256, ok := key.(*ecdsa.PublicKey)
	if err != nil || !ok || p256.Curve != elliptic.P256() || w.Version != 1 || w.Kind < 1 || w.Kind > int(warifu.Authentication) {
		return NextTicketKey{}, warifu.Invalid("paper-malformed", "paper", string(ContextNextTicketKey))
	}
	return NextTicketKey{warifu.Kind(w.Kind), w.PublicKey}, nil
}
