package main

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/http"
	"time"

	jose "github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"
)

// fositeIssuer is where the peer's provider stands, for tokens; nothing listens there.
const fositeIssuer = "https://peer.example"

// fositeProvider is a login provider as one builds it on ory/fosite: code flow, PKCE S256,
// private_key_jwt, ES256 ID tokens, everything kept in memory. Nobody proves presence: who
// asks is let in at once.
type fositeProvider struct {
	inner fosite.OAuth2Provider
	key   *ecdsa.PrivateKey
}

func newFosite(signing, client *ecdsa.PrivateKey) *fositeProvider {
	store := storage.NewMemoryStore()
	public := jose.JSONWebKey{Key: &client.PublicKey, KeyID: benchKeyID, Algorithm: "ES256", Use: "sig"}
	store.Clients[benchClient] = &fosite.DefaultOpenIDConnectClient{
		DefaultClient: &fosite.DefaultClient{
			ID: benchClient, RedirectURIs: []string{benchRedirect}, GrantTypes: []string{"authorization_code"},
			ResponseTypes: []string{"code"}, Scopes: []string{"openid"},
		},
		JSONWebKeys:                       &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}},
		TokenEndpointAuthMethod:           "private_key_jwt",
		TokenEndpointAuthSigningAlgorithm: "ES256",
	}
	config := &fosite.Config{
		IDTokenIssuer: fositeIssuer, TokenURL: fositeIssuer + "/token", EnforcePKCE: true,
		GlobalSecret: []byte("thirty-two octets of a test only"), AccessTokenLifespan: 10 * time.Minute, AuthorizeCodeLifespan: time.Minute,
	}
	keyOf := func(context.Context) (any, error) { return signing, nil }
	inner := compose.Compose(config, store, &compose.CommonStrategy{
		CoreStrategy:               compose.NewOAuth2HMACStrategy(config),
		OpenIDConnectTokenStrategy: compose.NewOpenIDConnectStrategy(keyOf, config),
		Signer:                     &jwt.DefaultSigner{GetPrivateKey: keyOf},
	}, compose.OAuth2AuthorizeExplicitFactory, compose.OpenIDConnectExplicitFactory, compose.OAuth2PKCEFactory)
	return &fositeProvider{inner: inner, key: signing}
}

func fositeSession(subject string) *openid.DefaultSession {
	now := time.Now()
	return &openid.DefaultSession{
		Subject: subject,
		Claims:  &jwt.IDTokenClaims{Subject: subject, AuthTime: now, RequestedAt: now, Extra: map[string]any{}},
		Headers: &jwt.Headers{},
	}
}

// authorize answers an authorization request with a redirection.
func (f *fositeProvider) authorize(w http.ResponseWriter, r *http.Request) error {
	request, err := f.inner.NewAuthorizeRequest(r.Context(), r)
	if err != nil {
		return described(err)
	}
	request.GrantScope("openid")
	answer, err := f.inner.NewAuthorizeResponse(r.Context(), request, fositeSession("a-subject"))
	if err != nil {
		return described(err)
	}
	f.inner.WriteAuthorizeResponse(r.Context(), w, request, answer)
	return nil
}

// exchange answers a token request.
func (f *fositeProvider) exchange(w http.ResponseWriter, r *http.Request) error {
	request, err := f.inner.NewAccessRequest(r.Context(), r, fositeSession(""))
	if err != nil {
		return described(err)
	}
	answer, err := f.inner.NewAccessResponse(r.Context(), request)
	if err != nil {
		return described(err)
	}
	f.inner.WriteAccessResponse(r.Context(), w, request, answer)
	return nil
}

// described is a fosite error with what it keeps for debugging.
func described(err error) error {
	e := fosite.ErrorToRFC6749Error(err)
	return fmt.Errorf("fosite: %s %s %s", e.ErrorField, e.GetDescription(), e.Debug())
}

// round takes n logins through the peer, as loginTown.round does: the CPU time of what the
// browser and the relying party ask.
func (f *fositeProvider) round(client *ecdsa.PrivateKey, n int) (time.Duration, error) {
	all, err := prepareLogins(n, client, benchClient, fositeIssuer+"/token", time.Now())
	if err != nil {
		return 0, err
	}
	opening := make([]asked, n)
	for i, p := range all {
		opening[i] = ask(http.MethodGet, fositeIssuer+"/auth?"+p.query.Encode(), nil)
	}
	first, err := put(opening, told(f.authorize))
	if err != nil {
		return 0, err
	}
	redeeming, err := exchanges(opening, all, fositeIssuer+"/token")
	if err != nil {
		return 0, err
	}
	second, err := put(redeeming, told(f.exchange))
	return first + second, errors.Join(err, redeemed(redeeming))
}

// told makes a handler of one that returns its error: the answer says it.
func told(serve func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := serve(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}
