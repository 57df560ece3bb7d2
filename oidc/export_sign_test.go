package oidc

import "github.com/go-jose/go-jose/v4"

// ParseDigestInfo is parseDigestInfo.
var ParseDigestInfo = parseDigestInfo

// SealTo seals to the first of a client's keys that takes it.
func SealTo(plain []byte, keys ...jose.JSONWebKey) ([]byte, error) {
	to, err := sealingKey(keys)
	if err != nil {
		return nil, err
	}
	return seal(plain, to)
}

// Check is check.
func (w SignWish) Check() error { return w.check() }
