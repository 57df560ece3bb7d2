package oidc

import (
	"context"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"warifu/ledger"
)

// Clients tells who may ask. It is asked on every request: it answers from memory.
type Clients interface {
	// Client returns one; NotFound "client-unknown".
	Client(ctx context.Context, id string) (Client, error)
}

// Client is a relying party as the provider knows it. It is handed about by value and
// never changed.
type Client struct {
	ID   string      // "RP00000001": what stands in requests, tokens and holders' ledgers
	Name ledger.Name // what people are shown, as the operator checked it

	// RedirectURIs are where a browser may be sent back to. They are compared as strings
	// (RFC 9700 §2.1): nothing is put in order, decoded or cut off.
	RedirectURIs []string
	// LoopbackPort leaves the port of a redirect URI at http://127.0.0.1 or http://[::1] open:
	// for apps on a computer, which take what port is free (RFC 8252 §7.3). No app on a server
	// needs it.
	LoopbackPort bool
	// Sector is who shares one subject: clients of one sector know a person by the same sub,
	// any two others cannot tell that they know the same person (OpenID Connect Core §8.1).
	// Empty: the client by itself.
	Sector string

	// JWKS are the client's public keys, and JWKSURI where they are fetched from when there
	// is one: exactly one of the two. Keys with use "sig" (or none) check client assertions,
	// those with use "enc" seal results of signing.
	JWKS    jose.JSONWebKeySet
	JWKSURI string

	// Scopes are those it may ask for beside openid: "name", "address", "birthdate", "gender",
	// "sign".
	Scopes []string
	// BirthdateFormat is FormatISO (also "") or FormatCompact, GenderFormat FormatWord (also "")
	// or FormatNumber.
	BirthdateFormat, GenderFormat string
	// EncryptionKey seals results of signing; nil: the key with use "enc" among the client's.
	EncryptionKey *jose.JSONWebKey
}

// How a birth date and a gender are told. OpenID Connect Core §5.1 has 2001-05-11 and "female";
// third parties' mocks of デジタル認証アプリ have 20010511 and "2" (requirements B.9).
const (
	FormatISO     = "iso"
	FormatCompact = "compact"
	FormatWord    = "word"
	FormatNumber  = "number"
)

// The scopes. All but openid are for a client to be allowed.
const (
	ScopeOpenID    = "openid"
	ScopeName      = "name"
	ScopeAddress   = "address"
	ScopeBirthdate = "birthdate"
	ScopeGender    = "gender"
	ScopeSign      = "sign"
)

// attributeScopes are those that stand for an attribute, in the order they are told in.
var attributeScopes = []string{ScopeName, ScopeAddress, ScopeBirthdate, ScopeGender}

// ScopesSupported are all scopes, as discovery lists them and as clients may be allowed.
var ScopesSupported = []string{ScopeOpenID, ScopeName, ScopeAddress, ScopeBirthdate, ScopeGender, ScopeSign}

// may reports whether the client is allowed a scope.
func (c Client) may(scope string) bool {
	return scope == ScopeOpenID || slices.Contains(c.Scopes, scope)
}

// sector is who shares subjects with the client.
func (c Client) sector() string {
	if c.Sector != "" {
		return c.Sector
	}
	return c.ID
}

// ClientView is what people are shown of a client.
type ClientView struct {
	ID     string      `json:"id"`
	Name   ledger.Name `json:"name"`
	Origin string      `json:"origin"` // scheme://host[:port] of the redirect URI
}
