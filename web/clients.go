package web

import (
	"context"
	"encoding/json"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"warifu/ledger"
	"warifu/oidc"
)

// Clients is where developers register the services that people log in to.
type Clients interface {
	Enrol(ctx context.Context, source string, e oidc.Entry) (oidc.Registered, error)
	Registration(ctx context.Context, id, token string) (oidc.Registered, error)
	Change(ctx context.Context, id, token string, e oidc.Entry) (oidc.Registered, error)
	Rotate(ctx context.Context, id, token string, keys json.RawMessage) (oidc.Registered, error)
	Remove(ctx context.Context, id, token string) error
}

const clientsPath = "/api/v1/clients"

// clientEntry is a service in a request and in an answer.
type clientEntry struct {
	Name struct {
		Japanese string `json:"ja,omitempty" maxLength:"100"`
		English  string `json:"en,omitempty" maxLength:"100"`
	} `json:"name" doc:"What people are shown; one language may be left out"`
	RedirectURIs    []string        `json:"redirectUris" minItems:"1" maxItems:"10" doc:"Where browsers may be sent back to, compared letter for letter: https, or http on this very machine"`
	LoopbackPort    bool            `json:"loopbackPort,omitempty" doc:"Any port of redirect URIs at 127.0.0.1 or [::1]: for apps on a computer (RFC 8252)"`
	JWKS            json.RawMessage `json:"jwks,omitempty" doc:"Your public keys (RFC 7517): use sig, P-256 or RSA, checks who you are; use enc seals results of signing. This or jwksUri"`
	JWKSURI         string          `json:"jwksUri,omitempty" maxLength:"500" doc:"Where your public keys are fetched from"`
	Scopes          []string        `json:"scopes,omitempty" maxItems:"6" doc:"What you may ask for: name, address, birthdate, gender, sign"`
	BirthdateFormat string          `json:"birthdateFormat,omitempty" enum:"iso,compact" doc:"2001-02-03, or 20010203"`
	GenderFormat    string          `json:"genderFormat,omitempty" enum:"word,number" doc:"male and female, or 1 and 2"`
}

func (e clientEntry) entry() oidc.Entry {
	return oidc.Entry{
		Name: ledger.Name{Japanese: e.Name.Japanese, English: e.Name.English}, RedirectURIs: e.RedirectURIs, LoopbackPort: e.LoopbackPort, JWKS: e.JWKS, JWKSURI: e.JWKSURI,
		Scopes: e.Scopes, BirthdateFormat: e.BirthdateFormat, GenderFormat: e.GenderFormat,
	}
}

type clientBody struct {
	ID     string `json:"id" doc:"Your client_id"`
	Issuer string `json:"issuer" doc:"The provider: its discovery document is at issuer/.well-known/openid-configuration"`
	clientEntry
	Token string `json:"registrationToken,omitempty" doc:"Changes this registration. Told once"`
	Key   string `json:"apiKey,omitempty" doc:"Opens /api/v1/verifications. Told once"`
}

type clientOutput struct{ Body clientBody }

func (s *site) clientAnswer(r oidc.Registered, err error) (*clientOutput, error) {
	if err != nil {
		return nil, err
	}
	e := r.Entry
	out := clientBody{ID: r.ID, Issuer: s.Origin + oidc.IssuerPath(), Token: r.Token, Key: r.Key}
	out.clientEntry = clientEntry{
		RedirectURIs: e.RedirectURIs, LoopbackPort: e.LoopbackPort, JWKS: e.JWKS, JWKSURI: e.JWKSURI, Scopes: e.Scopes, BirthdateFormat: e.BirthdateFormat, GenderFormat: e.GenderFormat,
	}
	out.Name.Japanese, out.Name.English = e.Name.Japanese, e.Name.English
	return &clientOutput{out}, nil
}

// enrolInput carries who asks beside what is asked.
type enrolInput struct {
	Body   clientEntry
	source string
}

// Resolve implements huma.Resolver: see suspensionInput.
func (in *enrolInput) Resolve(ctx huma.Context) []error {
	if address := ctx.RemoteAddr(); !loopback(address) {
		if host, _, err := net.SplitHostPort(address); err == nil {
			in.source = host
		}
	}
	return nil
}

// ClientPath names a registration and shows its token; exported, since huma reads no other
// embedded fields.
type ClientPath struct {
	Authorization string `header:"Authorization" maxLength:"300" doc:"Bearer and the registration token"`
	ID            string `path:"id" maxLength:"64" doc:"Your client_id"`
}

func (c ClientPath) token() string { return Bearer{c.Authorization}.token() }

type changeClientInput struct {
	ClientPath
	Body clientEntry
}

type rotateClientInput struct {
	ClientPath
	Body struct {
		JWKS json.RawMessage `json:"jwks,omitempty" doc:"New public keys; without them the keys stay, and token and API key are new"`
	}
}

// clients adds the doors for developers; where nobody keeps a directory there are none.
func (s *site) clients(api huma.API) {
	if s.Clients == nil {
		return
	}
	register(s, api, http.MethodPost, clientsPath, "register-client", "Register a service that people log in to", http.StatusCreated, func(ctx context.Context, in *enrolInput) (*clientOutput, error) {
		return s.clientAnswer(s.Clients.Enrol(ctx, in.source, in.Body.entry()))
	})
	register(s, api, http.MethodGet, clientsPath+"/{id}", "client", "How a registration stands", http.StatusOK, func(ctx context.Context, in *ClientPath) (*clientOutput, error) {
		return s.clientAnswer(s.Clients.Registration(ctx, in.ID, in.token()))
	})
	register(s, api, http.MethodPut, clientsPath+"/{id}", "change-client", "Put another entry in a registration's place", http.StatusOK, func(ctx context.Context, in *changeClientInput) (*clientOutput, error) {
		return s.clientAnswer(s.Clients.Change(ctx, in.ID, in.token(), in.Body.entry()))
	})
	register(s, api, http.MethodPost, clientsPath+"/{id}/rotate", "rotate-client", "New token, new API key, and new public keys where given; the old ones end at once", http.StatusOK, func(ctx context.Context, in *rotateClientInput) (*clientOutput, error) {
		return s.clientAnswer(s.Clients.Rotate(ctx, in.ID, in.token(), in.Body.JWKS))
	})
	register(s, api, http.MethodDelete, clientsPath+"/{id}", "remove-client", "End a registration", http.StatusNoContent, func(ctx context.Context, in *ClientPath) (*struct{}, error) {
		return nil, s.Clients.Remove(ctx, in.ID, in.token())
	})
}
