package relyingparty

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
)

// keysFresh is how long the provider's keys are believed without asking again: a key
// that it has withdrawn is good here for as long at most.
const keysFresh = 10 * time.Minute

// keySet is the provider's keys as last fetched.
type keySet struct {
	set jose.JSONWebKeySet
	at  time.Time
}

// readable is a key set without the keys that are of no kind known here, which are to be
// ignored (RFC 7517 §5).
type readable jose.JSONWebKeySet

// UnmarshalJSON implements json.Unmarshaler.
func (r *readable) UnmarshalJSON(b []byte) error {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	for _, one := range raw.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(one) == nil {
			r.Keys = append(r.Keys, key)
		}
	}
	return nil
}

// providerKey returns the provider's key of that identifier. One that is not known is
// looked for again at the provider, since keys are rotated; that cannot be made a flood,
// because ID tokens come from the provider's own token endpoint and nowhere else.
func (p *Party) providerKey(ctx context.Context, at *provider, id string) (*ecdsa.PublicKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := p.now().Sub(p.keys.at); age >= 0 && age < keysFresh {
		if key := p.keys.find(id); key != nil {
			return key, nil
		}
	}
	var fresh readable
	if err := p.get(ctx, at.Keys, "", &fresh); err != nil {
		return nil, err
	}
	p.keys = keySet{jose.JSONWebKeySet(fresh), p.now()}
	if key := p.keys.find(id); key != nil {
		return key, nil
	}
	return nil, warifu.Unauthenticated("id-token-invalid", "what", "kid")
}

// find returns the key that alone has the identifier and signs ES256.
func (s keySet) find(id string) *ecdsa.PublicKey {
	named := s.set.Key(id)
	if id == "" || len(named) != 1 || (named[0].Use != "" && named[0].Use != "sig") {
		return nil
	}
	if named[0].Algorithm != "" && named[0].Algorithm != string(jose.ES256) {
		return nil
	}
	key, ok := named[0].Key.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil
	}
	return key
}
