package attest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"

	"warifu"
	"warifu/signed"
)

// MaxPaper bounds every paper, envelope included, but the one about many cards.
const MaxPaper = 16 << 10

// Context separates the papers: it is signed in front of the body.
type Context string

// The contexts.
const (
	ContextAttestation   Context = "warifu-attestation-v1"
	ContextSecretsSet    Context = "warifu-secrets-set-v1"
	ContextReceipt       Context = "warifu-receipt-v1"
	ContextDeviceRequest Context = "warifu-device-request-v1"
	ContextCardStatement Context = "warifu-card-statement-v1"
	ContextKillTicket    Context = "warifu-kill-ticket-v1"
	ContextKillReceipt   Context = "warifu-kill-receipt-v1"
	ContextCleanProof    Context = "warifu-clean-proof-v1"
	ContextCardEvent     Context = "warifu-card-event-v1"
	ContextCardReport    Context = "warifu-card-report-v1"
)

type envelope struct {
	Body      []byte
	Signature []byte
}

// SignedOctets returns context ‖ 00 ‖ body: what the signature of an envelope covers.
func SignedOctets(c Context, body []byte) []byte {
	out := make([]byte, 0, len(c)+1+len(body))
	return append(append(append(out, c...), 0), body...)
}

// Seal signs body under the context and returns the envelope. key is a P-256 key.
func Seal(c Context, body []byte, key crypto.Signer) ([]byte, error) {
	digest := sha256.Sum256(SignedOctets(c, body))
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(envelope{body, sig})
}

// Open checks the envelope's signature under the context with pub and returns the
// body. Errors: Invalid "paper-malformed", Refused "paper-signature-invalid", both
// naming the paper.
func Open(c Context, der []byte, pub *ecdsa.PublicKey) ([]byte, error) {
	return openUpTo(c, der, pub, MaxPaper)
}

// openUpTo is Open with a bound of its own.
func openUpTo(c Context, der []byte, pub *ecdsa.PublicKey, most int) ([]byte, error) {
	e, err := parseEnvelope(c, der)
	if len(der) > MaxPaper && most > MaxPaper {
		err = parseUpTo(c, der, &e, most)
	}
	if err != nil {
		return nil, err
	}
	if pub == nil || pub.Curve != elliptic.P256() {
		return nil, warifu.Refused("paper-signature-invalid", "paper", string(c))
	}
	digest := sha256.Sum256(SignedOctets(c, e.Body))
	if signed.Digest(pub, digest, e.Signature) != nil {
		return nil, warifu.Refused("paper-signature-invalid", "paper", string(c))
	}
	return e.Body, nil
}

// Peek returns the body without believing it: for finding out whose key to check
// with, never for deciding.
func Peek(c Context, der []byte) ([]byte, error) {
	e, err := parseEnvelope(c, der)
	return e.Body, err
}

// envelopes were read before: each authority opens the papers of an application anew.
var envelopes = signed.NewRead(func(der []byte) (e envelope, err error) {
	err = parseStrict("", der, &e)
	return e, err
})

func parseEnvelope(c Context, der []byte) (envelope, error) {
	var e envelope
	if len(der) <= MaxPaper {
		if e, err := envelopes.Of(der); err == nil {
			return e, nil
		}
	}
	err := parseStrict(c, der, &e)
	return e, err
}

// parseStrict decodes DER into v and refuses whatever v would not encode to again.
func parseStrict(c Context, der []byte, v any) error { return parseUpTo(c, der, v, MaxPaper) }

func parseUpTo(c Context, der []byte, v any, most int) error {
	malformed := warifu.Invalid("paper-malformed", "paper", string(c))
	if len(der) > most {
		return warifu.TooLarge("paper-too-large", "paper", string(c))
	}
	rest, err := asn1.Unmarshal(der, v)
	if err != nil {
		return malformed.With(err)
	}
	if len(rest) != 0 {
		return malformed
	}
	again, err := marshalValue(v)
	if err != nil {
		return malformed.With(err)
	}
	if !bytes.Equal(again, der) {
		return malformed
	}
	return nil
}
