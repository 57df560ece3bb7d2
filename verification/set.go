package verification

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/store"
)

// The events of a token. The status stands in one of our own beside CAEP's, which knows
// nothing of suspensions.
const (
	EventVerification     = "https://schemas.openid.net/secevent/ssf/event-type/verification"
	EventCredentialChange = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
	EventStatus           = "urn:warifu:event:certificate-status"
)

// SubjectID names what an event is about: an opaque identifier (RFC 9493 §3.2.6), here that
// of the verification that the relying party keeps.
type SubjectID struct {
	Format string `json:"format"`
	ID     string `json:"id"`
}

// Token is a Security Event Token (RFC 8417).
type Token struct {
	Issuer   string                     `json:"iss"`
	Audience string                     `json:"aud"` // the relying party's identifier
	IssuedAt int64                      `json:"iat"`
	ID       string                     `json:"jti"` // the same at every attempt
	Subject  SubjectID                  `json:"sub_id"`
	Events   map[string]json.RawMessage `json:"events"`
}

// StatusEvent is our own event: what the certificate behind the verification is from At on.
// Sequence counts the events of a subscription from 1 without gaps.
type StatusEvent struct {
	Subscription string `json:"subscription"`
	Sequence     int64  `json:"sequence"`
	Status       string `json:"status"`           // "good", "revoked", "unknown"
	Reason       string `json:"reason,omitempty"` // of RFC 5280: certificateHold is a suspension
	At           int64  `json:"at"`               // seconds since 1970
}

// tokenOf is what a subscription is told.
func tokenOf(issuer string, w store.Webhook, e store.WebhookEvent, now time.Time) (Token, error) {
	events := map[string]any{}
	if e.Sort == "verification" {
		events[EventVerification] = map[string]string{"state": w.ID}
	}
	status := StatusEvent{Subscription: w.ID, Sequence: e.Seq, Status: e.Status.Cert.String(), At: e.At.Unix()}
	if e.Status.Cert == warifu.StatusRevoked {
		status.Reason = e.Status.Reason.String()
	}
	events[EventStatus] = status
	if e.Sort == "status" {
		change := "update"
		if e.Status.Cert == warifu.StatusRevoked && e.Status.Reason != warifu.ReasonCertificateHold {
			change = "revoke"
		}
		events[EventCredentialChange] = map[string]any{"credential_type": "x509", "change_type": change, "event_timestamp": e.At.Unix()}
	}
	t := Token{Issuer: issuer, Audience: w.Party, IssuedAt: now.Unix(), ID: e.JTI, Subject: SubjectID{"opaque", w.Verification}, Events: map[string]json.RawMessage{}}
	for name, event := range events {
		b, err := json.Marshal(event)
		if err != nil {
			return t, err
		}
		t.Events[name] = b
	}
	return t, nil
}

// tokenType is the header typ of a token (RFC 8417 §2.3).
const tokenType = "secevent+jwt"

// sealed signs a token with the key: ES256, compact.
func (t Token) sealed(key crypto.Signer, keyID string) (string, error) {
	payload, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: opaque{key, keyID}}, (&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// KeyID names a webhook key: the SHA-256 thumbprint of RFC 7638.
func KeyID(key crypto.Signer) (string, error) {
	b, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// KeySet is the JSON Web Key Set that receivers check tokens with.
func KeySet(key crypto.Signer) ([]byte, error) {
	id, err := KeyID(key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}}})
}

// opaque is a key that never leaves its store.
type opaque struct {
	key crypto.Signer
	id  string
}

// Public implements jose.OpaqueSigner.
func (o opaque) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: o.key.Public(), KeyID: o.id, Algorithm: string(jose.ES256), Use: "sig"}
}

// Algs implements jose.OpaqueSigner.
func (o opaque) Algs() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{jose.ES256} }

var errKey = errors.New("verification: the webhook key is not P-256")

// SignPayload implements jose.OpaqueSigner: r and s of 32 octets each (RFC 7518 §3.4).
func (o opaque) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	public, ok := o.key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve.Params().BitSize != 256 {
		return nil, errKey
	}
	digest := warifu.DigestOf(payload)
	der, err := o.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var inner cryptobyte.String
	input := cryptobyte.String(der)
	var r, s []byte
	if !input.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) || len(r) > 32 || len(s) > 32 {
		return nil, errKey
	}
	out := make([]byte, 64)
	copy(out[32-len(r):32], r)
	copy(out[64-len(s):], s)
	return out, nil
}
