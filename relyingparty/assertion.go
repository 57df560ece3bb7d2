package relyingparty

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
	"github.com/go-jose/go-jose/v4/jwt"

	"warifu"
)

// assertionLife is how long a client assertion holds: it is made for one request.
const assertionLife = time.Minute

// authenticate adds to a form who is asking: a client assertion (RFC 7523 2.2, in OpenID
// Connect Core 9 private_key_jwt). It is a short JWT that says "I am this client, this is
// for your token endpoint, now, once" and is signed with the client's key.
func (p *Party) authenticate(form url.Values, tokenEndpoint string) error {
	algorithm, err := algorithmOf(p.config.Key.Public())
	if err != nil {
		return err
	}
	id, err := keyID(p.config.Key.Public())
	if err != nil {
		return err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: cryptosigner.Opaque(p.config.Key)},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", id))
	if err != nil {
		return warifu.Invalid("relying-party-config", "what", "Key").With(err)
	}
	now := p.now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: p.config.ClientID, Subject: p.config.ClientID, Audience: jwt.Audience{tokenEndpoint},
		ID: random(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
	if err != nil {
		return warifu.Invalid("relying-party-config", "what", "Key").With(err)
	}
	form.Set("client_id", p.config.ClientID)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return nil
}

// random is 256 bits in 43 letters of base64url: state, nonce, PKCE verifier, jti.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}
