package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"

	"github.com/go-jose/go-jose/v4"

	"warifu"
)

// maxRSABits bounds a client's RSA key: a longer one only costs.
const maxRSABits = 4096

// ResultMediaType is that of a sealed result (RFC 7516 §9.1).
const ResultMediaType = "application/jose"

// sealingKey is the first of a client's keys with use "enc" that results are sealed to.
// Refused "sign-key-absent" where it has none.
func sealingKey(keys []jose.JSONWebKey) (to jose.Recipient, err error) {
	err = warifu.Refused("sign-key-absent", "what", `"use": "enc"`)
	for _, k := range keys {
		if k.Use != "enc" {
			continue
		}
		if to, err = recipientOf(k); err == nil {
			return to, nil
		}
	}
	return to, err
}

// recipientOf takes ECDH-ES+A256KW on P-256 and RSA-OAEP-256 from 2048 bits, and no algorithm
// the key does not name, where it names one.
func recipientOf(k jose.JSONWebKey) (jose.Recipient, error) {
	to := jose.Recipient{Key: k.Key, KeyID: k.KeyID}
	switch key := k.Key.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			to.Algorithm = jose.ECDH_ES_A256KW
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			to.Algorithm = jose.RSA_OAEP_256
		}
	}
	if to.Algorithm == "" || !k.Valid() || (k.Algorithm != "" && k.Algorithm != string(to.Algorithm)) {
		return jose.Recipient{}, warifu.Refused("sign-key-absent", "what", "P-256 (ECDH-ES+A256KW), RSA 2048–4096 (RSA-OAEP-256)")
	}
	return to, nil
}

// seal makes a JWE in compact form (RFC 7516) that the recipient alone opens.
func seal(plain []byte, to jose.Recipient) ([]byte, error) {
	e, err := jose.NewEncrypter(jose.A256GCM, to, (&jose.EncrypterOptions{}).WithContentType("application/json"))
	if err != nil {
		return nil, err
	}
	sealed, err := e.Encrypt(plain)
	if err != nil {
		return nil, err
	}
	compact, err := sealed.CompactSerialize()
	return []byte(compact), err
}
