package relyingparty

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"

	"github.com/go-jose/go-jose/v4"

	"warifu"
)

// minRSABits is the least an RSA key may have (RFC 7518 3.3).
const minRSABits = 2048

// NewKey makes a key as a relying party needs it, on P-256. One signs client assertions;
// another, never the same, opens the results of signatures.
func NewKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// JWKS is what a provider is given of the keys: a JWK set (RFC 7517) of public parts, of the
// key that signs ("use":"sig") and of those that decrypt ("use":"enc"). Serve it at the
// registered jwks_uri, or register it by value. A nil key is left out; so is one that no
// provider would take, which Open refuses too.
func JWKS(sign crypto.Signer, decrypt ...crypto.Signer) []byte {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	add := func(key crypto.Signer, use string) {
		if key == nil {
			return
		}
		algorithm, err := algorithmOf(key.Public())
		if err != nil {
			return
		}
		jwk := jose.JSONWebKey{Key: key.Public(), Use: use, Algorithm: string(algorithm)}
		if use == "enc" {
			jwk.Algorithm = string(wrapOf(key.Public()))
		}
		if jwk.KeyID, err = keyID(key.Public()); err == nil {
			set.Keys = append(set.Keys, jwk)
		}
	}
	add(sign, "sig")
	for _, key := range decrypt {
		add(key, "enc")
	}
	b, err := json.Marshal(set)
	if err != nil {
		return []byte(`{"keys":[]}`)
	}
	return b
}

// maxKeyFile bounds what LoadKey reads.
const maxKeyFile = 64 << 10

// LoadKey reads a private key: PEM (PKCS #8, SEC 1, PKCS #1) or a private JWK. Errors:
// Invalid "relying-party-key".
func LoadKey(b []byte) (crypto.Signer, error) {
	invalid := warifu.Invalid("relying-party-key")
	if len(b) > maxKeyFile {
		return nil, invalid
	}
	key, err := parseKey(b)
	if err != nil {
		return nil, invalid.With(err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, invalid
	}
	if _, err := algorithmOf(signer.Public()); err != nil {
		return nil, invalid.With(err)
	}
	return signer, nil
}

func parseKey(b []byte) (any, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		var jwk jose.JSONWebKey
		err := json.Unmarshal(b, &jwk)
		return jwk.Key, err
	}
	switch block.Type {
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}

// algorithmOf is what a key signs with: ES256, or PS256 for RSA.
func algorithmOf(key crypto.PublicKey) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return jose.ES256, nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSABits {
			return jose.PS256, nil
		}
	}
	return "", warifu.Invalid("relying-party-config", "what", "Key")
}

// wrapOf is how a content key is wrapped for a key (RFC 7518 4.1).
func wrapOf(key crypto.PublicKey) jose.KeyAlgorithm {
	if _, ok := key.(*rsa.PublicKey); ok {
		return jose.RSA_OAEP_256
	}
	return jose.ECDH_ES_A256KW
}

// keyID is the key's JWK thumbprint (RFC 7638): it needs no table and never changes.
func keyID(key crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}
