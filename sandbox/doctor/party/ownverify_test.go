package party_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// verify checks the signature of an ID token and returns its claims.
func (p *own) verify(ctx context.Context, d *discovered, raw string) (map[string]any, error) {
	head, payload, err := halves(raw)
	if err != nil {
		return nil, err
	}
	if p.lenient(head, raw) {
		return payload, nil
	}
	if head.Algorithm != "ES256" && !(p.has("alg-other") && head.Algorithm == "ES384") {
		return nil, errors.New("another algorithm")
	}
	s, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256, jose.ES384})
	if err != nil {
		return nil, err
	}
	keys, err := p.find(ctx, d, head.KeyID)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if _, err := s.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	forged := payload["sub"] == "payload-changed"
	if p.has("payload-changed") && forged || p.has("key-other") && !forged && len(keys) == 1 && head.Critical == nil && strings.Trim(raw[strings.LastIndexByte(raw, '.')+1:], "A") != "" || p.has("key-twice") && len(keys) > 1 {
		return payload, nil
	}
	return nil, errors.New("signature")
}

type tokenHead struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	JWK       json.RawMessage `json:"jwk"`
	JKU       string          `json:"jku"`
	Critical  []string        `json:"crit"`
}

func halves(raw string) (h tokenHead, payload map[string]any, err error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return h, nil, errors.New("not three parts")
	}
	for i, into := range []any{&h, &payload} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			return h, nil, err
		}
	}
	return h, payload, nil
}

// lenient is what a faulty twin believes without its provider's key.
func (p *own) lenient(h tokenHead, raw string) bool {
	_, signature, _ := strings.Cut(raw[strings.IndexByte(raw, '.')+1:], ".")
	switch p.fault {
	case "alg-none":
		return strings.EqualFold(h.Algorithm, "none")
	case "alg-hs256":
		return h.Algorithm == "HS256"
	case "header-jwk":
		return h.JWK != nil
	case "header-jku":
		return h.JKU != ""
	case "header-crit":
		return len(h.Critical) > 0
	case "signature-empty":
		return signature == "" && h.Algorithm == "ES256"
	case "signature-zero":
		return strings.Trim(signature, "A") == "" && len(signature) > 40
	case "key-unknown":
		return h.KeyID == "unknown-to-everybody" && h.JKU == ""
	}
	return false
}

// find returns the provider's keys of that name, fetched anew where it is not known.
func (p *own) find(ctx context.Context, d *discovered, id string) ([]jose.JSONWebKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.keys[id]; ok {
		return found, nil
	}
	if p.has("keys-rotated") && len(p.keys) > 0 {
		return nil, errors.New("no such key")
	}
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := p.read(ctx, d.Keys, "", &raw); err != nil {
		return nil, err
	}
	fresh := map[string][]jose.JSONWebKey{}
	for _, one := range raw.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(one); err == nil {
			fresh[k.KeyID] = append(fresh[k.KeyID], k)
		} else if p.has("foreign-keys-beside") {
			return nil, err
		}
	}
	p.keys = fresh
	if found, ok := fresh[id]; ok {
		return found, nil
	}
	return nil, errors.New("no such key")
}

// check is OIDC Core §3.1.3.7, and what this client demands beyond it.
func (p *own) check(c map[string]any, n *pending, access string) error {
	now := float64(p.clock.Now().Unix())
	number := func(name string) (float64, bool) { v, ok := c[name].(float64); return v, ok }
	audience := audienceOf(c["aud"])
	issuedAt, hasIssuedAt := number("iat")
	expiry, hasExpiry := number("exp")
	notBefore, _ := number("nbf")
	authTime, hasAuthTime := number("auth_time")
	leeway := float64(60)
	if p.has("small-skew") {
		leeway = 0
	}
	sub, _ := c["sub"].(string)
	checks := []struct {
		fault  string
		broken bool
	}{
		{"unknown-claims", p.has("unknown-claims") && c["urn:doctor:unknown"] != nil},
		{"iss-missing", c["iss"] == nil}, {"iss-other", c["iss"] != nil && c["iss"] != p.issuer},
		{"aud-one-in-array", p.has("aud-one-in-array") && c["aud"] != clientID},
		{"aud-missing", len(audience) == 0}, {"aud-other", len(audience) > 0 && !slices.Contains(audience, clientID)},
		{"aud-foreign", slices.Contains(audience, clientID) && len(audience) > 1},
		{"azp-other", c["azp"] != nil && c["azp"] != clientID},
		{"exp-missing", !hasExpiry}, {"exp-past", hasExpiry && expiry < now-leeway},
		{"iat-missing", !hasIssuedAt}, {"iat-future", issuedAt > now+leeway}, {"iat-past", hasIssuedAt && issuedAt < now-86400},
		{"nbf-future", notBefore > now+leeway}, {"sub-missing", sub == ""},
		{"nonce-missing", c["nonce"] == nil && !p.has("nonce-sent")}, {"nonce-other", c["nonce"] != nil && c["nonce"] != n.nonce},
		{"at-hash-wrong", c["at_hash"] != nil && c["at_hash"] != accessHash(access)},
		{"acr-missing", c["acr"] == nil}, {"acr-lower", c["acr"] != nil && c["acr"] != "aal3"},
		{"auth-time-missing", !hasAuthTime}, {"auth-time-old", hasAuthTime && authTime < now-300-leeway},
		{"class-missing", c["warifu_class"] == nil}, {"class-other", c["warifu_class"] != nil && c["warifu_class"] != p.class},
	}
	for _, k := range checks {
		switch {
		case !k.broken, p.fault == k.fault && !strings.Contains(alwaysOn, k.fault) && !(k.fault == "nonce-other" && c["nonce"] != strings.Repeat("A", 43)):
		case k.fault == "nonce-other" && p.has("nonce-replayed") && p.used[fmt.Sprint(c["nonce"])]:
		default:
			return errors.New(k.fault)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[n.nonce] = true
	return nil
}

// alwaysOn are the twins that refuse what they should take.
const alwaysOn = "unknown-claims aud-one-in-array"

func audienceOf(v any) (out []string) {
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

func accessHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
