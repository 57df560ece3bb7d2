package server

import (
	"context"

	"warifu/oidc"
	"warifu/verification"
	"warifu/verify"
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

// openDirectory opens the clients: the file's, and those that developers registered.
func (s *Server) openDirectory(ctx context.Context) error {
	known, err := s.config.parties()
	if err != nil {
		return err
	}
	s.directory = oidc.NewDirectory(s.store, s.clock, s.config.Parties.Registration)
	s.directory.SetGiven(known.clients)
	return s.directory.Reload(ctx)
}

// appointParties tells the verification service of everybody who may ask: the file's, and
// registered developers; what a client may ask people for it may ask here.
func (s *Server) appointParties() {
	s.asking.Lock()
	defer s.asking.Unlock()
	known, err := s.config.parties()
	if err != nil {
		s.complain("relying parties", err)
		return
	}
	s.directory.SetGiven(known.clients)
	all := known.asking
	for _, a := range s.directory.Asking() {
		p := verification.Party{ID: a.ID, Name: a.Name, Key: a.Key}
		for _, scope := range a.Scopes {
			if attribute := attributeOf[scope]; attribute != 0 {
				p.Attributes = append(p.Attributes, attribute)
			}
		}
		all = append(all, p)
	}
	list, err := verification.NewParties(all)
	if err != nil {
		s.complain("relying parties", err)
		return
	}
	s.desk.SetParties(list)
}

// attributeOf is the attribute that a scope stands for.
var attributeOf = map[string]verify.Attribute{
	oidc.ScopeName: verify.Name, oidc.ScopeAddress: verify.Address, oidc.ScopeBirthdate: verify.BirthDate, oidc.ScopeGender: verify.Gender,
}
