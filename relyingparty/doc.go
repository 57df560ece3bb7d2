// Package relyingparty is a small OpenID Connect client for services at which people log
// in, and sign, with their card or phone. It is meant to be copied from: one file a step,
// nothing beyond net/http and go-jose.
//
// The walk is three calls. [Party.Begin] pushes the request to the provider (RFC 9126)
// and says where to send the browser; [Party.Finish] takes what the browser brought back,
// redeems the code and checks the ID token; [Party.UserInfo] fetches the attributes that
// the person agreed to. Who the service is it proves with its key alone (private_key_jwt,
// RFC 7523): there is no client secret. [NewKey] makes the key, [JWKS] is what the
// provider is given of it.
//
// What is checked is not up to the caller: PKCE S256 (RFC 7636), state, nonce, the
// issuer in the answer (RFC 9207), and of the ID token the algorithm, the key, iss, aud,
// azp, exp, iat, auth_time and at_hash (OpenID Connect Core 3.1.3.7). What must be remembered
// between the two calls travels sealed in [Begun.State], which belongs into a cookie of the
// browser that began (HttpOnly, SameSite=Lax, and removed when Finish was called), so that a
// login finished in another browser than the one that began it is refused.
//
// Errors are *warifu.Error. Unavailable: the provider cannot be reached, later is better.
// Refused: the person or the provider said no. Unauthenticated: what came back is not what
// was asked for, and nobody is logged in.
package relyingparty
