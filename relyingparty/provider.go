package relyingparty

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"warifu"
)

// provider is what the discovery document says (OpenID Connect Discovery 1.0, RFC 8414).
type provider struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"`
	Keys          string `json:"jwks_uri"`
	Pushed        string `json:"pushed_authorization_request_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
	TellsIssuer   bool   `json:"authorization_response_iss_parameter_supported"`
}

const discoveryPath = "/.well-known/openid-configuration"

// discover returns the provider, read once. Its document must name the very issuer that
// was configured, or another provider's endpoints would be believed (Discovery 4.3), and
// no endpoint may be less protected than the issuer is.
func (p *Party) discover(ctx context.Context) (*provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.provider != nil {
		return p.provider, nil
	}
	var d provider
	if err := p.get(ctx, strings.TrimSuffix(p.config.Issuer, "/")+discoveryPath, "", &d); err != nil {
		return nil, err
	}
	if d.Issuer != p.config.Issuer {
		return nil, warifu.Unauthenticated("provider-answer", "what", "issuer")
	}
	secure := strings.HasPrefix(d.Issuer, "https:")
	for _, e := range []struct {
		name, address string
		optional      bool
	}{
		{"authorization_endpoint", d.Authorization, false}, {"token_endpoint", d.Token, false}, {"userinfo_endpoint", d.UserInfo, false},
		{"jwks_uri", d.Keys, false}, {"pushed_authorization_request_endpoint", d.Pushed, true}, {"revocation_endpoint", d.Revocation, true},
	} {
		if e.address == "" && e.optional {
			continue
		}
		u, err := url.Parse(e.address)
		if err != nil || u.Host == "" || (secure && u.Scheme != "https") {
			return nil, warifu.Unauthenticated("provider-answer", "what", e.name)
		}
	}
	p.provider = &d
	return p.provider, nil
}

// get fetches JSON, with a bearer token where there is one.
func (p *Party) get(ctx context.Context, address, bearer string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return warifu.Invalid("relying-party-config", "what", address).With(err)
	}
	return p.ask(r, bearer, into)
}
