package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The relying party of the login measures.
const (
	benchClient   = "bench"
	benchKeyID    = "bench-key"
	benchRedirect = "https://rp.example/callback"
)

// preparedLogin is a login that a relying party has made ready, so that making it is not
// in what is measured: the authorization request and the client's assertion.
type preparedLogin struct {
	client              string
	query               url.Values
	verifier, assertion string
}

func randomText() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// prepareRequest makes an authorization request of a client.
func prepareRequest(client string) preparedLogin {
	p := preparedLogin{client: client, verifier: randomText()}
	challenge := sha256.Sum256([]byte(p.verifier))
	p.query = url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {benchRedirect}, "scope": {"openid"},
		"state": {randomText()}, "nonce": {randomText()},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	return p
}

// prepareLogins makes n different logins of a client for a token endpoint. now is what the
// provider's clients' clocks say.
func prepareLogins(n int, key *ecdsa.PrivateKey, client, endpoint string, now time.Time) ([]preparedLogin, error) {
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", benchKeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		return nil, err
	}
	all := make([]preparedLogin, n)
	for i := range all {
		all[i] = prepareRequest(client)
		all[i].assertion, err = jwt.Signed(signer).Claims(jwt.Claims{
			Issuer: client, Subject: client, Audience: jwt.Audience{endpoint}, ID: randomText(),
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)),
		}).Serialize()
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// benchKeySet makes the relying party's key and its public key set.
func benchKeySet() (json.RawMessage, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: benchKeyID, Algorithm: "ES256", Use: "sig"}}})
	return set, key, err
}

// benchEntry is how the relying party registers.
func benchEntry(keys json.RawMessage) map[string]any {
	return map[string]any{"name": map[string]string{"en": "Bench"}, "redirectUris": []string{benchRedirect}, "jwks": keys}
}

// exchange is the form of the token request for a code.
func (p preparedLogin) exchange(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {benchRedirect}, "code_verifier": {p.verifier}, "client_id": {p.client},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {p.assertion},
	}
}
