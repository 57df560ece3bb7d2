package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
)

// Bounds and times of a client's key set.
const (
	maxKeySet      = 64 << 10
	maxFetchedKeys = 50
	minRSA         = 2048 // bits
	keySetFresh    = time.Hour
	keySetStale    = 24 * time.Hour   // for so long an older set serves while a newer one cannot be had
	keySetPause    = 30 * time.Second // between two fetches, whatever is asked
	maxKeySets     = 10_000
)

// fits reports whether a key is one to check signatures by the algorithm with.
func fits(k *jose.JSONWebKey, algorithm, id string) bool {
	if id != "" && k.KeyID != id || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != algorithm {
		return false
	}
	switch key := k.Key.(type) {
	case *ecdsa.PublicKey:
		return algorithm == string(jose.ES256) && key.Curve == elliptic.P256()
	case *rsa.PublicKey:
		return algorithm != string(jose.ES256) && key.N.BitLen() >= minRSA
	}
	return false
}

// clientKeys fetches and keeps the key sets of clients that name an address.
type clientKeys struct {
	http  *http.Client
	plain bool
	clock warifu.Clock

	mu   sync.Mutex
	sets map[string]*keySet // by address
}

// keySet is what is kept of one address. Its mutex is held while it is fetched, so that all
// who ask meanwhile wait for that one answer.
type keySet struct {
	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time // zero: never
	tried   time.Time
}

// keysFor returns a client's keys. A set that does not have the key that is wanted is fetched
// again, for clients change their keys; but not oftener than every keySetPause, since who asks
// is not known yet. Errors: invalid_client "client-keys-away" where there is no set to check with.
func (p *Provider) keysFor(ctx context.Context, c Client, id string) ([]jose.JSONWebKey, error) {
	if c.JWKSURI == "" {
		return c.JWKS.Keys, nil
	}
	return p.fetched.of(ctx, c.JWKSURI, id)
}

func (k *clientKeys) of(ctx context.Context, address, id string) ([]jose.JSONWebKey, error) {
	set := k.set(address)
	set.mu.Lock()
	defer set.mu.Unlock()
	now := k.clock.Now()
	age := now.Sub(set.fetched)
	known := id == "" || hasKey(set.keys, id)
	if !set.fetched.IsZero() && age < keySetFresh && known {
		return set.keys, nil
	}
	if set.tried.IsZero() || now.Sub(set.tried) >= keySetPause {
		set.tried = now
		if keys, err := k.fetch(ctx, address); err == nil {
			set.keys, set.fetched, age = keys, now, 0
		}
	}
	if set.fetched.IsZero() || age >= keySetStale {
		return nil, refuse(invalidClient, warifu.Unauthenticated("client-keys-away"))
	}
	return set.keys, nil
}

func (k *clientKeys) set(address string) *keySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sets == nil || len(k.sets) >= maxKeySets && k.sets[address] == nil {
		k.sets = map[string]*keySet{} // forget all rather than grow
	}
	set := k.sets[address]
	if set == nil {
		set = &keySet{}
		k.sets[address] = set
	}
	return set
}

func hasKey(keys []jose.JSONWebKey, id string) bool {
	for i := range keys {
		if keys[i].KeyID == id {
			return true
		}
	}
	return false
}

var errKeySet = errors.New("no key set there")

// fetch gets a key set through the guarded client. It goes on when the one who asked has
// gone: others wait for it too.
func (k *clientKeys) fetch(ctx context.Context, address string) ([]jose.JSONWebKey, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(k.plain && u.Scheme == "http") || k.http == nil {
		return nil, errKeySet
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := k.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
	if err != nil || len(b) > maxKeySet || response.StatusCode != http.StatusOK {
		return nil, errors.Join(errKeySet, err)
	}
	return parseKeySet(b)
}

// parseKeySet reads a key set. Keys that we do not understand are passed over (RFC 7517 §5),
// private and symmetric ones too.
func parseKeySet(b []byte) ([]jose.JSONWebKey, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &raw); err != nil || len(raw.Keys) > maxFetchedKeys {
		return nil, errors.Join(errKeySet, err)
	}
	var out []jose.JSONWebKey
	for _, one := range raw.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(one) == nil && key.IsPublic() && key.Valid() {
			out = append(out, key)
		}
	}
	return out, nil
}
