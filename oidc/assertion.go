package oidc

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/store"
)

// Bounds of a client assertion (RFC 7523 §3).
const (
	maxAssertion  = 8 << 10
	maxJTI        = 256
	assertionLife = 5 * time.Minute  // how far ahead its end may lie
	assertionSkew = 30 * time.Second // by which a client's clock may go wrong
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

var assertionAlgorithms = []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256}

// assertion is what a client assertion claims.
type assertion struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	ID        string   `json:"jti"`
	Expires   *instant `json:"exp"`
	NotBefore *instant `json:"nbf"`
	IssuedAt  *instant `json:"iat"`
}

// audience is one name or several (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(a))
	}
	*a = make(audience, 1)
	return json.Unmarshal(b, &(*a)[0])
}

// instant is a NumericDate (RFC 7519 §2): seconds, perhaps with a fraction.
type instant float64

func (i instant) time() time.Time {
	if math.IsNaN(float64(i)) || i < -1e12 || i > 1e12 {
		return time.Time{}
	}
	return time.Unix(int64(i), 0)
}

// proof is an assertion that held. It is good once: use marks it in the transaction of what
// the client asked for.
type proof struct {
	mark    warifu.Digest
	expires time.Time
}

var errAssertionUsed = refuse(invalidClient, warifu.Unauthenticated("client-assertion-used"))

func (p proof) use(tx *store.Tx) error {
	err := tx.UseChallenge(p.mark, p.expires)
	if problemOf(err).IsCode(warifu.CodeConflict) {
		return errAssertionUsed
	}
	return err
}

// spend marks the proof of a request that is refused for another reason, which it returns:
// what was seen once must not serve a second time.
func (p *Provider) spend(ctx context.Context, by proof, reason error) error {
	if err := p.Store.Write(ctx, by.use); err != nil {
		return err
	}
	return reason
}

// authenticate tells which client asks, by private_key_jwt (OpenID Connect Core §9) and
// nothing else. What it returns is to be used or spent. Every fault is invalid_client, with a
// problem that says which.
func (p *Provider) authenticate(ctx context.Context, f form) (Client, proof, error) {
	wrong := func(problem string, pairs ...string) (Client, proof, error) {
		return Client{}, proof{}, refuse(invalidClient, warifu.Unauthenticated(problem, pairs...))
	}
	if err := f.once(); err != nil {
		return Client{}, proof{}, err
	}
	text := f.get("client_assertion")
	if text == "" || f.get("client_assertion_type") != assertionType {
		return wrong("client-assertion-missing")
	}
	if len(text) > maxAssertion {
		return wrong("client-assertion-malformed")
	}
	signed, err := jose.ParseSignedCompact(text, assertionAlgorithms)
	if err != nil {
		return wrong("client-assertion-malformed")
	}
	var claims assertion
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims); err != nil {
		return wrong("client-assertion-malformed")
	}
	if id := f.get("client_id"); claims.Issuer == "" || claims.Issuer != claims.Subject || id != "" && id != claims.Issuer || len(claims.Issuer) > maxClientID {
		return wrong("client-assertion-claim", "claim", "iss, sub")
	}
	c, err := p.Clients.Client(ctx, claims.Issuer)
	if problemOf(err).IsCode(warifu.CodeNotFound) {
		return wrong("client-unknown")
	}
	if err != nil {
		return Client{}, proof{}, err
	}
	if err := p.checkSignature(ctx, c, signed); err != nil {
		return Client{}, proof{}, err
	}
	if claim := p.claimsFit(claims); claim != "" {
		return wrong("client-assertion-claim", "claim", claim)
	}
	mark := warifu.DigestOf([]byte("warifu-client-assertion-v1\x00" + c.ID + "\x00" + claims.ID))
	left := claims.Expires.time().Add(assertionSkew).Sub(p.Outside.Now())
	return c, proof{mark, p.Clock.Now().Add(left)}, nil
}

// claimsFit names the claim that does not fit, or "".
func (p *Provider) claimsFit(a assertion) string {
	now := p.Outside.Now()
	ours := func(name string) bool { return name == p.issuer || name == p.tokenURL || name == p.issuer+pathPush }
	foreign := func(name string) bool { return !ours(name) }
	switch {
	case len(a.Audience) == 0 || slices.ContainsFunc(a.Audience, foreign):
		return "aud" // another's name beside ours would let that other use it here
	case a.Expires == nil || !now.Before(a.Expires.time().Add(assertionSkew)) || a.Expires.time().After(now.Add(assertionLife+assertionSkew)):
		return "exp"
	case a.NotBefore != nil && a.NotBefore.time().After(now.Add(assertionSkew)):
		return "nbf"
	case a.IssuedAt != nil && a.IssuedAt.time().After(now.Add(assertionSkew)):
		return "iat"
	case a.ID == "" || len(a.ID) > maxJTI:
		return "jti"
	}
	return ""
}

// checkSignature holds the assertion against the client's keys: those of the kid where it
// names one, or else all that its algorithm fits.
func (p *Provider) checkSignature(ctx context.Context, c Client, signed *jose.JSONWebSignature) error {
	header := signed.Signatures[0].Protected
	keys, err := p.keysFor(ctx, c, header.KeyID)
	if err != nil {
		return err
	}
	for i := range keys {
		if !fits(&keys[i], header.Algorithm, header.KeyID) {
			continue
		}
		if _, err := signed.Verify(keys[i].Key); err == nil {
			return nil
		}
	}
	return refuse(invalidClient, warifu.Unauthenticated("client-assertion-signature"))
}
