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

// ContextStatementDigests separates the signature that several card statements share.
const ContextStatementDigests Context = "warifu-card-statement-digests-v1"

// MaxTogether is how many card statements one signature may stand for.
const MaxTogether = 16

// shared is the envelope of a card statement that was signed together with others: the
// signature is over the digests of all of them, each of which travels alone. Digests is
// SHA-256( "warifu-card-statement-v1" ‖ 00 ‖ body ) of each, one after the other: what the
// signature of an envelope would be over. Nobody learns from a digest what it is of: a
// statement holds the identity of an application document.
type shared struct {
	Body      []byte
	Digests   []byte
	Signature []byte
}

// SealTogether signs the statements with one signature of the bureau's statement key and
// returns an envelope for each, which OpenCardStatement takes like any. Errors: TooLarge
// "paper-too-large" for more than MaxTogether.
func SealTogether(statements []CardStatement, key crypto.Signer) ([][]byte, error) {
	if len(statements) == 0 || len(statements) > MaxTogether {
		return nil, warifu.TooLarge("paper-too-large", "paper", string(ContextStatementDigests))
	}
	bodies := make([][]byte, len(statements))
	var digests []byte
	for i, s := range statements {
		body, err := s.body()
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(SignedOctets(ContextCardStatement, body))
		bodies[i], digests = body, append(digests, digest[:]...)
	}
	all := sha256.Sum256(SignedOctets(ContextStatementDigests, digests))
	signature, err := key.Sign(rand.Reader, all[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(bodies))
	for i, body := range bodies {
		if out[i], err = asn1.Marshal(shared{body, digests, signature}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var sharedEnvelopes = signed.NewRead(func(der []byte) (shared, error) {
	var e shared
	err := parseStrict(ContextCardStatement, der, &e)
	return e, err
})

// openShared checks an envelope of SealTogether and returns the body: its digest must
// be among those signed. false for octets that are no such envelope.
func openShared(der []byte, pub *ecdsa.PublicKey) (body []byte, ok bool, err error) {
	if len(der) > MaxPaper {
		return nil, false, nil
	}
	e, err := sharedEnvelopes.Of(der)
	if err != nil {
		return nil, false, nil
	}
	refused := warifu.Refused("paper-signature-invalid", "paper", string(ContextCardStatement))
	if pub == nil || pub.Curve != elliptic.P256() || len(e.Digests)%sha256.Size != 0 || len(e.Digests) > MaxTogether*sha256.Size {
		return nil, true, refused
	}
	mine := sha256.Sum256(SignedOctets(ContextCardStatement, e.Body))
	found := false
	for rest := e.Digests; len(rest) > 0; rest = rest[sha256.Size:] {
		found = found || bytes.Equal(rest[:sha256.Size], mine[:])
	}
	if !found || signed.Digest(pub, sha256.Sum256(SignedOctets(ContextStatementDigests, e.Digests)), e.Signature) != nil {
		return nil, true, refused
	}
	return e.Body, true, nil
}
