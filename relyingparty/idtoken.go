package relyingparty

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"warifu"
)

// skew is how far the provider's clock may stand from ours, and oldest how long ago an ID
// token that comes straight from the token endpoint may have been made.
const (
	skew   = time.Minute
	oldest = 10 * time.Minute
)

// idToken is what an ID token says. The last two claims are Warifu's own.
type idToken struct {
	Issuer     string           `json:"iss"`
	Subject    string           `json:"sub"`
	Audience   jwt.Audience     `json:"aud"`
	Authorized string           `json:"azp"`
	Expiry     *jwt.NumericDate `json:"exp"`
	IssuedAt   *jwt.NumericDate `json:"iat"`
	NotBefore  *jwt.NumericDate `json:"nbf"`
	AuthTime   *jwt.NumericDate `json:"auth_time"`
	Nonce      string           `json:"nonce"`
	TokenHash  string           `json:"at_hash"`
	ACR        string           `json:"acr"`
	Class      string           `json:"warifu_class"`
	Activation string           `json:"warifu_activation"`
}

// readIDToken checks the signature and every claim that is the same at each use (OpenID
// Connect Core 3.1.3.7); nonce and auth_time are the caller's. Errors: Unauthenticated
// "id-token-invalid" with the claim that is wrong.
func (p *Party) readIDToken(ctx context.Context, at *provider, raw, accessToken string) (idToken, error) {
	var t idToken
	// The algorithm is pinned: neither "none" nor an HMAC with a public key gets further.
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return t, warifu.Unauthenticated("id-token-invalid", "what", "alg").With(err)
	}
	key, err := p.providerKey(ctx, at, signed.Signatures[0].Header.KeyID)
	if err != nil {
		return t, err
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return t, warifu.Unauthenticated("id-token-invalid", "what", "signature").With(err)
	}
	if err := json.Unmarshal(payload, &t); err != nil {
		return t, warifu.Unauthenticated("id-token-invalid", "what", "JSON").With(err)
	}
	if wrong := p.wrongClaim(t, accessToken); wrong != "" {
		return t, warifu.Unauthenticated("id-token-invalid", "what", wrong)
	}
	return t, nil
}

// wrongClaim names the first claim that may not be, "" where all is well.
func (p *Party) wrongClaim(t idToken, accessToken string) string {
	now := p.now()
	switch {
	case t.Issuer != p.config.Issuer:
		return "iss"
	case t.Subject == "" || len(t.Subject) > 255:
		return "sub"
	case !slices.Equal(t.Audience, jwt.Audience{p.config.ClientID}): // no audience that we do not trust
		return "aud"
	case t.Authorized != "" && t.Authorized != p.config.ClientID:
		return "azp"
	case t.Expiry == nil || !now.Before(t.Expiry.Time().Add(skew)):
		return "exp"
	case t.IssuedAt == nil || t.IssuedAt.Time().After(now.Add(skew)) || now.Sub(t.IssuedAt.Time()) > oldest:
		return "iat"
	case t.NotBefore != nil && t.NotBefore.Time().After(now.Add(skew)):
		return "nbf"
	case t.AuthTime != nil && t.AuthTime.Time().After(now.Add(skew)):
		return "auth_time"
	case t.TokenHash != "" && subtle.ConstantTimeCompare([]byte(t.TokenHash), []byte(halfHash(accessToken))) != 1:
		return "at_hash"
	}
	return ""
}

// halfHash is at_hash for ES256: the left half of the SHA-256 of the access token (Core 3.1.3.6).
func halfHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
}
