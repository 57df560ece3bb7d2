package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// SigningKey is a P-256 key that ID tokens are signed with from an instant on, until the
// next one's.
type SigningKey struct {
	Key  crypto.Signer
	From time.Time
}

// How keys follow each other. A new one is in the key set KeyLead before it signs, so that who
// keeps the set has it by then; the older stays there until nothing that it signed is good,
// and a day more for those who look again.
const (
	KeyLife = 90 * 24 * time.Hour
	KeyLead = 24 * time.Hour
	keyKept = 24 * time.Hour
)

// KeyDue reports whether a new key is to be made now. Its From is now where there is none yet, so
// that it signs at once, and otherwise KeyLead ahead.
func KeyDue(keys []SigningKey, now time.Time) (from time.Time, due bool) {
	if len(keys) == 0 {
		return now, true
	}
	newest := slices.MaxFunc(keys, func(a, b SigningKey) int { return a.From.Compare(b.From) })
	return now.Add(KeyLead), now.Sub(newest.From) >= KeyLife
}

// keyRing is every key there is, oldest first.
type keyRing struct{ keys []ringKey }

type ringKey struct {
	SigningKey
	public jose.JSONWebKey
	header string // of a JWS that it signs, as base64url and with the dot
}

var errNoKey = errors.New("oidc: a P-256 key to sign with is wanted")

// SetKeys puts other signing keys in the place of those that stand: after a rotation, here or
// by another server.
func (p *Provider) SetKeys(keys []SigningKey) error {
	var ring keyRing
	for _, k := range keys {
		public, ok := k.Key.Public().(*ecdsa.PublicKey)
		if !ok || public.Curve != elliptic.P256() {
			return errNoKey
		}
		thumb, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
		if err != nil {
			return err
		}
		one := ringKey{SigningKey: k, public: jose.JSONWebKey{Key: public, KeyID: base64.RawURLEncoding.EncodeToString(thumb), Algorithm: string(jose.ES256), Use: "sig"}}
		header, err := json.Marshal(struct {
			Algorithm string `json:"alg"`
			KeyID     string `json:"kid"`
			Type      string `json:"typ"`
		}{string(jose.ES256), one.public.KeyID, "JWT"})
		if err != nil {
			return err
		}
		one.header = base64.RawURLEncoding.EncodeToString(header) + "."
		ring.keys = append(ring.keys, one)
	}
	if len(ring.keys) == 0 {
		return errNoKey
	}
	slices.SortFunc(ring.keys, func(a, b ringKey) int { return a.From.Compare(b.From) })
	p.keys.Store(&ring)
	return nil
}

// current is the key that signs at an instant: the newest that has begun, or the first.
func (r *keyRing) current(now time.Time) ringKey {
	at := r.keys[0]
	for _, k := range r.keys {
		if !k.From.After(now) {
			at = k
		}
	}
	return at
}

// published are the public keys of the one that signs, of those to come, and of those whose
// tokens may still be looked at.
func (r *keyRing) published(now time.Time) jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for i, k := range r.keys {
		if i+1 == len(r.keys) || now.Before(r.keys[i+1].From.Add(AccessLife+keyKept)) {
			set.Keys = append(set.Keys, k.public)
		}
	}
	return set
}

// seal signs claims as a compact JWS (RFC 7515 §3.1) with ES256. It is written out here since
// the key store's keys are crypto.Signers, and since a login is a signature and little else.
func (k ringKey) seal(claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	out := make([]byte, 0, len(k.header)+enc.EncodedLen(len(payload))+1+enc.EncodedLen(64))
	out = append(out, k.header...)
	out = enc.AppendEncode(out, payload)
	digest := sha256.Sum256(out)
	der, err := k.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", err
	}
	raw, err := joseSignature(der)
	if err != nil {
		return "", err
	}
	out = append(out, '.')
	return string(enc.AppendEncode(out, raw[:])), nil
}

// joseSignature turns an ECDSA-Sig-Value into r ‖ s of 32 octets each (RFC 7518 §3.4).
func joseSignature(der []byte) (out [64]byte, err error) {
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return out, errors.Join(errNoKey, err)
	}
	if v.R.Sign() < 0 || v.S.Sign() < 0 || v.R.BitLen() > 256 || v.S.BitLen() > 256 {
		return out, errNoKey
	}
	v.R.FillBytes(out[:32])
	v.S.FillBytes(out[32:])
	return out, nil
}

// serveKeys publishes the key set (RFC 7517 §5).
func (p *Provider) serveKeys(w http.ResponseWriter, _ *http.Request) error {
	b, err := json.Marshal(p.keys.Load().published(p.Clock.Now()))
	if err == nil {
		writeBytes(w, http.StatusOK, "public, max-age=300", b)
	}
	return err
}
