package jpki

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"warifu"
	"warifu/iso7816"
)

// The names inside a phone's secure element besides AID (docs/secure-element.md §1).
var (
	// AIDIssuerDomain is the issuer security domain; its keys are the maker's.
	AIDIssuerDomain = []byte{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00}
	// AIDDomain is this house's supplementary security domain, through which a server
	// personalizes the JPKI application: F0 "WARIFU" 01.
	AIDDomain = []byte{0xF0, 0x57, 0x41, 0x52, 0x49, 0x46, 0x55, 0x01}
	// AIDAccessRules is the access rule application master (GlobalPlatform SEAC).
	AIDAccessRules = []byte{0xA0, 0x00, 0x00, 0x01, 0x51, 0x41, 0x43, 0x4C, 0x00}
)

// The proprietary instructions of the application on a phone, class 80, internal
// interface only (docs/secure-element.md §4).
const (
	InsGenerate      byte = 0x46
	InsAttest        byte = 0x48
	InsChain         byte = 0x4A
	InsSetSecret     byte = 0x4C
	InsSecretsSet    byte = 0x4E
	InsAbandon       byte = 0x52
	InsResetSecret   byte = 0x54 // the octet of JICSAP's UNLOCK KEY
	InsSlots         byte = 0x56
	InsDeviceRequest byte = 0x58
	InsKill          byte = 0x5A // contactless too
	InsCleanProof    byte = 0x5C // contactless too, for who can name the phone
	InsNextTicketKey byte = 0x5E
)

// Algorithm is a key's algorithm as the wire says it.
type Algorithm byte

// The algorithms; their names are those of the schemes.
const (
	RSA2048 Algorithm = 0x00
	P256    Algorithm = 0x01
)

// String returns "rsa-2048" or "p-256".
func (a Algorithm) String() string {
	switch a {
	case RSA2048:
		return "rsa-2048"
	case P256:
		return "p-256"
	}
	return fmt.Sprintf("algorithm(%d)", byte(a))
}

// ParseAlgorithm is the inverse of String.
func ParseAlgorithm(s string) (Algorithm, error) {
	for _, a := range []Algorithm{RSA2048, P256} {
		if s == a.String() {
			return a, nil
		}
	}
	return 0, warifu.Invalid("algorithm-unknown", "algorithm", s)
}

// Tags of command data (docs/secure-element.md §4).
const (
	TagPurpose   iso7816.Tag = 0x80 // DEVICE REQUEST
	TagSubject   iso7816.Tag = 0x81
	TagNonce     iso7816.Tag = 0x82
	TagSignature iso7816.Tag = 0x80 // RESET SECRET
	TagSecret    iso7816.Tag = 0x81
)

// ResetChallengeLength is the length of the chip's challenge to a parent card.
const ResetChallengeLength = 32

const resetLabel = "warifu-reset-v1"

// ResetMessage is what the parent card signs (SHA-256, with its signature key) so that
// the chip lets a forgotten secret of the kind be set anew: label ‖ 00 ‖ element ‖
// kind ‖ the chip's challenge.
func ResetMessage(element warifu.ElementID, kind warifu.Kind, challenge []byte) []byte {
	out := append([]byte(resetLabel), 0)
	out = append(append(out, element[:]...), byte(kind))
	return append(out, challenge...)
}

// Element speaks to the application on a phone through the platform's internal
// interface: what only the app may ask. Reading, verifying and signing are Token's.
type Element struct{ t iso7816.Transmitter }

// SelectElement selects the application. Errors: NotFound "element-absent" when the
// phone has none, Refused "element-access" when the access rules keep the caller out.
func SelectElement(ctx context.Context, t iso7816.Transmitter) (*Element, error) {
	_, err := iso7816.Send(ctx, t, iso7816.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: AID})
	switch {
	case errors.Is(err, iso7816.SWFileNotFound):
		return nil, warifu.NotFound("element-absent").With(err)
	case errors.Is(err, iso7816.SWSecurityStatus):
		return nil, warifu.Refused("element-access").With(err)
	case err != nil:
		return nil, elementRefusal("select", err)
	}
	return &Element{t}, nil
}

// send sends one proprietary command and asks for an answer of any length.
func (e *Element) send(ctx context.Context, what string, c iso7816.Command) ([]byte, error) {
	c.CLA = 0x80
	out, err := iso7816.Send(ctx, e.t, c)
	if err != nil {
		return nil, elementRefusal(what, err)
	}
	return out, nil
}

// elementRefusal names a status word; errors of the transport pass as they are.
func elementRefusal(what string, err error) error {
	var sw iso7816.StatusWord
	if !errors.As(err, &sw) {
		return err
	}
	params := []string{"command", what, "status", fmt.Sprintf("%04X", uint16(sw))}
	if sw == iso7816.SWConditions || sw == iso7816.SWReferenceNotFound {
		return warifu.Conflict("element-state", params...).With(err)
	}
	return warifu.Refused("element-refused", params...).With(err)
}

// Generate makes a key pair of the algorithm ("rsa-2048", "p-256") in the shadow slot of
// the kind, disabled, and returns its SubjectPublicKeyInfo. What the slot held is gone.
func (e *Element) Generate(ctx context.Context, kind warifu.Kind, algorithm string) ([]byte, error) {
	a, err := ParseAlgorithm(algorithm)
	if err != nil {
		return nil, err
	}
	return e.send(ctx, "generate", iso7816.Command{INS: InsGenerate, P1: byte(a), P2: byte(kind), Ne: iso7816.MaxShortNe})
}

// Attest returns the attestation envelope (package attest) over the shadow keys and
// the server's challenge.
func (e *Element) Attest(ctx context.Context, challenge []byte) ([]byte, error) {
	return e.send(ctx, "attest", iso7816.Command{INS: InsAttest, Data: challenge, Ne: iso7816.MaxShortNe})
}

// Chain returns the certificates of the attestation key, the chip's own first.
func (e *Element) Chain(ctx context.Context) ([][]byte, error) {
	data, err := e.send(ctx, "chain", iso7816.Command{INS: InsChain, Ne: iso7816.MaxShortNe})
	if err != nil {
		return nil, err
	}
	certificates, err := x509.ParseCertificates(data)
	if err != nil {
		return nil, warifu.Refused("element-malformed", "command", "chain").With(err)
	}
	var out [][]byte
	for _, c := range certificates {
		out = append(out, c.Raw)
	}
	return out, nil
}

// SetSecret gives the shadow key of the kind its activation secret. A form the kind
// does not allow is "secret-format".
func (e *Element) SetSecret(ctx context.Context, kind warifu.Kind, secret warifu.ActivationSecret) error {
	_, err := e.send(ctx, "set-secret", iso7816.Command{INS: InsSetSecret, P2: byte(kind), Data: secret.Reveal()})
	return secretForm(kind, err)
}

func secretForm(kind warifu.Kind, err error) error {
	if errors.Is(err, iso7816.SWWrongData) || errors.Is(err, iso7816.SWWrongLength) {
		return warifu.Invalid("secret-format", "kind", kind.String()).With(err)
	}
	return err
}

// SecretsSet returns the chip's word that every shadow key has its secret, bound to the
// application document. Before that it is Conflict "element-state".
func (e *Element) SecretsSet(ctx context.Context, document warifu.Digest) ([]byte, error) {
	return e.send(ctx, "secrets-set", iso7816.Command{INS: InsSecretsSet, Data: document[:], Ne: iso7816.MaxShortNe})
}

// Abandon empties the shadow slots; the live ones are not touched.
func (e *Element) Abandon(ctx context.Context) error {
	_, err := e.send(ctx, "abandon", iso7816.Command{INS: InsAbandon})
	return err
}

// Slots tells what is there, by digest.
func (e *Element) Slots(ctx context.Context) (Slots, error) {
	data, err := e.send(ctx, "slots", iso7816.Command{INS: InsSlots, Ne: iso7816.MaxShortNe})
	if err != nil {
		return Slots{}, err
	}
	return ParseSlots(data)
}

// DeviceRequest returns the envelope of a request the chip makes in its own name, such
// as "withdraw" for an application's identifier, over the server's nonce. In it the chip
// names the kinds whose secret was verified right before, in the same selection
// (Token.Element); whatever was verified on the channel is over afterwards.
func (e *Element) DeviceRequest(ctx context.Context, purpose, subject string, nonce []byte) ([]byte, error) {
	data := iso7816.AppendTLV(nil, TagPurpose, []byte(purpose))
	data = iso7816.AppendTLV(data, TagSubject, []byte(subject))
	data = iso7816.AppendTLV(data, TagNonce, nonce)
	return e.send(ctx, "device-request", iso7816.Command{INS: InsDeviceRequest, Data: data, Ne: iso7816.MaxShortNe})
}

// ResetChallenge asks the chip for the challenge that goes into ResetMessage. It serves
// once, and until the application is selected anew.
func (e *Element) ResetChallenge(ctx context.Context) ([]byte, error) {
	out, err := iso7816.Send(ctx, e.t, iso7816.Command{INS: 0x84, Ne: ResetChallengeLength})
	if err != nil {
		return nil, elementRefusal("challenge", err)
	}
	return out, nil
}

// ResetSecret sets a forgotten or blocked secret of the kind anew (K14): the chip checks
// the parent card's signature over ResetMessage with the key pinned at personalization.
// Errors: "reset-proof-invalid", "secret-format".
func (e *Element) ResetSecret(ctx context.Context, kind warifu.Kind, signature []byte, secret warifu.ActivationSecret) error {
	data := iso7816.AppendTLV(nil, TagSignature, signature)
	data = iso7816.AppendTLV(data, TagSecret, secret.Reveal())
	_, err := e.send(ctx, "reset-secret", iso7816.Command{INS: InsResetSecret, P2: byte(kind), Data: data})
	if errors.Is(err, iso7816.SWSecurityStatus) {
		return warifu.Refused("reset-proof-invalid", "kind", kind.String()).With(err)
	}
	return secretForm(kind, err)
}
