package party

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// key is a signing key of the provider's, or of a forger's.
type key struct {
	id        string
	algorithm string // ES256, ES384, RS256, PS256
	signer    crypto.Signer
}

// rsaKey is one for the whole process, as making one takes long; only a relying party that
// wants RSA needs it.
var rsaKey = sync.OnceValue(makeRSA)

func makeRSA() crypto.Signer {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("the machine has no randomness: " + err.Error())
	}
	return k
}

// newKey makes a key. RSA keys are all the same one, and differ in their name.
func newKey(algorithm string) key {
	k := key{id: random(9), algorithm: algorithm}
	curve := elliptic.P256()
	switch algorithm {
	case "RS256", "PS256":
		k.signer = rsaKey()
		return k
	case "ES384":
		curve = elliptic.P384()
	}
	made, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic("the machine has no randomness: " + err.Error())
	}
	k.signer = made
	return k
}

// public is the key as a JWK (RFC 7517 §4).
func (k key) public() map[string]any {
	b, err := jose.JSONWebKey{Key: k.signer.Public(), KeyID: k.id, Algorithm: k.algorithm, Use: "sig"}.MarshalJSON()
	var out map[string]any
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic("a public key of our own has no JSON: " + err.Error())
	}
	return out
}

// sign signs as JWS does (RFC 7518 §3).
func (k key) sign(input []byte) []byte {
	hash, h := crypto.SHA256, sum256(input)
	if k.algorithm == "ES384" {
		long := sha512.Sum384(input)
		hash, h = crypto.SHA384, long[:]
	}
	switch s := k.signer.(type) {
	case *ecdsa.PrivateKey:
		r, v, err := ecdsa.Sign(rand.Reader, s, h)
		if err != nil {
			panic("a key of our own does not sign: " + err.Error())
		}
		n := (s.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*n)
		r.FillBytes(out[:n])
		v.FillBytes(out[n:])
		return out
	default:
		var o crypto.SignerOpts = hash
		if k.algorithm == "PS256" {
			o = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		out, err := s.Sign(rand.Reader, h, o)
		if err != nil {
			panic("a key of our own does not sign: " + err.Error())
		}
		return out
	}
}

// secrets are the public key's encodings that a confused verifier takes for an HMAC secret.
func (k key) secrets() map[string][]byte {
	der, err := x509.MarshalPKIXPublicKey(k.signer.Public())
	if err != nil {
		panic("a public key of our own has no DER: " + err.Error())
	}
	jwk, _ := json.Marshal(k.public()) // of a map that was read from JSON
	return map[string][]byte{
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "JWK": jwk,
	}
}

// compact puts a JWS together (RFC 7515 §7.1) of any header and payload, with any signature.
func compact(header, claims map[string]any, sign func([]byte) []byte) string {
	input := part(header) + "." + part(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func part(m map[string]any) string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("claims of our own have no JSON: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func byHMAC(secret []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write(input)
		return m.Sum(nil)
	}
}

func sum256(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

// halfHash is the value of at_hash (OIDC Core §3.1.3.6) for the algorithms with SHA-256.
func halfHash(token string) string {
	return base64.RawURLEncoding.EncodeToString(sum256([]byte(token))[:16])
}

// random is n random octets as base64url.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
