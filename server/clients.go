package server

import (
	"context"

	"warifu"
	"warifu/oidc"
)

// clientEntry is what makes a relying party of the file one at which people log in:
// [party.client].
type clientEntry struct {
	RedirectURIs    []string `toml:"redirect_uris"`
	LoopbackPort    bool     `toml:"loopback_port,omitempty"`
	JWKSURI         string   `toml:"jwks_uri,omitempty"`
	JWKS            string   `toml:"jwks,omitempty"` // JSON, where there is no jwks_uri
	Scopes          []string `toml:"scopes,omitempty"`
	Sector          string   `toml:"sector,omitempty"`
	BirthdateFormat string   `toml:"birthdate_format,omitempty"`
	GenderFormat    string   `toml:"gender_format,omitempty"`
}

// ClientWish is what a relying party says of itself at which people are to log in.
type ClientWish struct {
	RedirectURIs                  []string
	LoopbackPort                  bool     // any port of the loopback redirect URIs (RFC 8252 §7.3)
	JWKSURI                       string   // where its public keys are fetched from, or
	JWKS                          []byte   // the JWK set by value
	Scopes                        []string // name address birthdate gender sign
	Sector                        string   // whom it shares subjects with; "": nobody
	BirthdateFormat, GenderFormat string   // oidc.FormatCompact and oidc.FormatNumber, or "" for OpenID Connect's own
}

func (w *ClientWish) entry() *clientEntry {
	if w == nil {
		return nil
	}
	return &clientEntry{
		RedirectURIs: w.RedirectURIs, LoopbackPort: w.LoopbackPort, JWKSURI: w.JWKSURI, JWKS: string(w.JWKS), Scopes: w.Scopes,
		Sector: w.Sector, BirthdateFormat: w.BirthdateFormat, GenderFormat: w.GenderFormat,
	}
}

// client is the entry as the provider knows it; false where nobody logs in there.
func (e partyEntry) client() (c oidc.Client, is bool, err error) {
	if e.Client == nil {
		return c, false, nil
	}
	c = oidc.Client{
		ID: e.ID, Name: e.Name, RedirectURIs: e.Client.RedirectURIs, LoopbackPort: e.Client.LoopbackPort, Sector: e.Client.Sector, JWKSURI: e.Client.JWKSURI,
		Scopes: e.Client.Scopes, BirthdateFormat: e.Client.BirthdateFormat, GenderFormat: e.Client.GenderFormat,
	}
	if e.Client.JWKS != "" {
		if c.JWKS, err = oidc.ParseJWKS([]byte(e.Client.JWKS)); err != nil {
			return c, true, err
		}
	}
	return c, true, c.Check()
}

// clients are those of the configured file by identifier, as the provider asks for them.
type clients map[string]oidc.Client

// Client implements oidc.Clients.
func (c clients) Client(_ context.Context, id string) (oidc.Client, error) {
	found, there := c[id]
	if !there {
		return oidc.Client{}, warifu.NotFound("client-unknown")
	}
	return found, nil
}
