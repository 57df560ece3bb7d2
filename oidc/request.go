package oidc

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"warifu"
)

// request is an authorization request that was found to be in order: what a login's row
// keeps of it.
type request struct {
	Redirect  string   `json:"redirect"`
	Scopes    []string `json:"scopes"`
	State     string   `json:"state,omitempty"`
	Nonce     string   `json:"nonce,omitempty"`
	Challenge string   `json:"challenge"`
	Demands   string   `json:"demands,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Sign      string   `json:"sign,omitempty"`
}

// attributes are the attributes that it asks for.
func (r request) attributes() []string {
	out := []string{}
	for _, s := range attributeScopes {
		if slices.Contains(r.Scopes, s) {
			out = append(out, s)
		}
	}
	return out
}

// Bounds of parameters, in octets.
const (
	maxState    = 2048
	maxNonce    = 512
	maxRedirect = 2000
	maxScope    = 500
	maxWords    = 500
	maxClientID = 200
	challengeOf = 43 // characters of base64url of SHA-256
)

// The authentication context classes. The first two and the ways of asking for a status are
// those of デジタル認証アプリ (requirements B.9) and demand nothing; ours demand a class.
const (
	acrAAL3  = "aal3"
	acrAAL2  = "aal2"
	acrCard  = "urn:warifu:class:card"
	acrPhone = "urn:warifu:class:phone"
)

// parties finds the client and a redirect URI that may be trusted, which has to be before
// anything is answered with a redirection. Its errors are for a page: Invalid "oidc-parameter-twice",
// "oidc-parameter"; NotFound "client-unknown"; Refused "redirect-unknown".
func (p *Provider) parties(ctx context.Context, f form) (Client, string, error) {
	c, err := p.party(ctx, f)
	if err != nil {
		return c, "", err
	}
	if len(f.values["redirect_uri"]) > 1 {
		return c, "", refuse(invalidRequest, warifu.Invalid("oidc-parameter-twice", "parameter", "redirect_uri"))
	}
	redirect := f.get("redirect_uri")
	if !c.redirects(redirect) {
		return c, "", refuse(invalidRequest, warifu.Refused("redirect-unknown", "client", c.ID))
	}
	return c, redirect, nil
}

// party is the client alone.
func (p *Provider) party(ctx context.Context, f form) (Client, error) {
	if len(f.values["client_id"]) > 1 {
		return Client{}, refuse(invalidRequest, warifu.Invalid("oidc-parameter-twice", "parameter", "client_id"))
	}
	id := f.get("client_id")
	if id == "" || len(id) > maxClientID {
		return Client{}, malformed("client_id")
	}
	return p.Clients.Client(ctx, id)
}

// redirects reports whether a browser may be sent back to an address.
func (c Client) redirects(address string) bool {
	if address == "" || len(address) > maxRedirect || strings.Contains(address, "#") {
		return false
	}
	for _, known := range c.RedirectURIs {
		if known == address || c.LoopbackPort && sameButPort(known, address) {
			return true
		}
	}
	return false
}

// sameButPort compares two loopback addresses but for their ports (RFC 8252 §7.3).
func sameButPort(known, address string) bool {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		a, isA := strings.CutPrefix(known, host)
		b, isB := strings.CutPrefix(address, host)
		if isA && isB {
			a, okA := withoutPort(a)
			b, okB := withoutPort(b)
			return okA && okB && a == b
		}
	}
	return false
}

// withoutPort cuts :port off what follows a host; false where what follows is neither a port
// nor a path or query.
func withoutPort(rest string) (string, bool) {
	if port, has := strings.CutPrefix(rest, ":"); has {
		end := strings.IndexAny(port, "/?")
		if end < 0 {
			end = len(port)
		}
		n, err := strconv.ParseUint(port[:end], 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return "", false
		}
		rest = port[end:]
	}
	return rest, rest == "" || rest[0] == '/' || rest[0] == '?'
}

// parse reads the rest of a request, whose errors the client is told at its redirect URI, or
// in answer to a pushed request.
func (p *Provider) parse(ctx context.Context, c Client, redirect string, f form) (request, error) {
	if err := f.once(); err != nil {
		return request{}, err
	}
	q := request{Redirect: redirect, State: f.get("state"), Nonce: f.get("nonce"), Challenge: f.get("code_challenge"), Sign: f.get("sign_transaction_id")}
	for _, check := range []func(form, *request) error{unsupported, sizes, responseOf, challengeFits, promptOf, maxAgeOf} {
		if err := check(f, &q); err != nil {
			return request{}, err
		}
	}
	var err error
	if q.Scopes, err = scopesOf(c, f.get("scope")); err != nil {
		return request{}, err
	}
	q.Demands = demandsOf(f.get("acr_values"))
	q.Languages = languagesOf(f.get("ui_locales"))
	return q, p.signs(ctx, c, q)
}

// unsupported refuses the other ways to make a request (OpenID Connect Core §3.1.2.6).
func unsupported(f form, _ *request) error {
	for _, no := range []struct{ parameter, code string }{
		{"request", requestNotSupported}, {"request_uri", requestURINotSupported}, {"registration", registrationUnsupported},
	} {
		if f.get(no.parameter) != "" {
			return refuse(no.code, warifu.Invalid("oidc-unsupported", "parameter", no.parameter))
		}
	}
	return nil
}

func sizes(f form, _ *request) error {
	for _, limit := range []struct {
		parameter string
		octets    int
	}{
		{"state", maxState}, {"nonce", maxNonce}, {"scope", maxScope}, {"acr_values", maxWords}, {"ui_locales", maxWords}, {"prompt", maxWords},
		{"max_age", 10}, {"sign_transaction_id", 100}, {"code_challenge", 128},
	} {
		if len(f.get(limit.parameter)) > limit.octets {
			return refuse(invalidRequest, warifu.Invalid("oidc-parameter-long", "parameter", limit.parameter, "octets", strconv.Itoa(limit.octets)))
		}
	}
	return nil
}

func responseOf(f form, _ *request) error {
	switch f.get("response_type") {
	case "":
		return malformed("response_type")
	case "code":
	default:
		return refuse(unsupportedResponseType, warifu.Invalid("oidc-response-type"))
	}
	if mode := f.get("response_mode"); mode != "" && mode != "query" {
		return malformed("response_mode")
	}
	return nil
}

// challengeFits wants PKCE with S256 (RFC 7636 §4.3, RFC 9700 §2.1.1): a request without is
// refused, so that nobody who takes it away gains anything.
func challengeFits(f form, q *request) error {
	if q.Challenge == "" {
		return refuse(invalidRequest, warifu.Invalid("oidc-pkce-missing"))
	}
	if f.get("code_challenge_method") != "S256" {
		return refuse(invalidRequest, warifu.Invalid("oidc-pkce-method")) // without a method it would be "plain"
	}
	if len(q.Challenge) != challengeOf || !base64url(q.Challenge) {
		return malformed("code_challenge")
	}
	return nil
}

// base64url reports whether text is of that alphabet, unpadded.
func base64url(text string) bool {
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// promptOf: there is no session here that an answer without a person could come from.
func promptOf(f form, _ *request) error {
	words := strings.Fields(f.get("prompt"))
	for _, w := range words {
		switch w {
		case "none":
			if len(words) > 1 {
				return malformed("prompt")
			}
			return refuse(loginRequired, warifu.Refused("oidc-login-required"))
		case "login", "consent", "select_account":
		default:
			return malformed("prompt")
		}
	}
	return nil
}

// maxAgeOf: whoever logs in does it now, so that any age holds; what is no age is refused.
func maxAgeOf(f form, _ *request) error {
	if age := f.get("max_age"); age != "" {
		if _, err := strconv.ParseUint(age, 10, 32); err != nil || age[0] == '+' {
			return malformed("max_age")
		}
	}
	return nil
}

// scopesOf keeps the scopes that are ours. Those that nobody here knows are ignored (OpenID
// Connect Core §3.1.2.1); one that the client may not ask for is refused.
func scopesOf(c Client, text string) ([]string, error) {
	asked := strings.Fields(text)
	if !slices.Contains(asked, ScopeOpenID) {
		return nil, refuse(invalidScope, warifu.Invalid("oidc-scope-openid"))
	}
	var out []string
	for _, s := range ScopesSupported {
		switch {
		case !slices.Contains(asked, s):
		case !c.may(s):
			return nil, refuse(invalidScope, warifu.Refused("oidc-scope-not-yours", "scope", s))
		default:
			out = append(out, s)
		}
	}
	return out, nil
}

// demandsOf is the class that acr_values demand: with both named, or neither, any.
func demandsOf(text string) string {
	words := strings.Fields(text)
	card, phone := slices.Contains(words, acrCard), slices.Contains(words, acrPhone)
	switch {
	case card && !phone:
		return ClassCard
	case phone && !card:
		return ClassPhone
	}
	return ""
}

// languagesOf are the languages of ui_locales that we speak, best first.
func languagesOf(text string) (out []string) {
	for _, tag := range strings.Fields(text) {
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if (primary == "ja" || primary == "en") && !slices.Contains(out, primary) {
			out = append(out, primary)
		}
	}
	return out
}

// signs checks that scope sign and the transaction come together, and that it is the client's.
func (p *Provider) signs(ctx context.Context, c Client, q request) error {
	wanted := slices.Contains(q.Scopes, ScopeSign)
	switch {
	case wanted && p.Signing == nil:
		return refuse(invalidScope, warifu.Refused("oidc-scope-not-yours", "scope", ScopeSign))
	case wanted != (q.Sign != ""):
		return malformed("sign_transaction_id")
	case !wanted:
		return nil
	}
	if _, err := p.Signing.View(ctx, c, q.Sign); err != nil {
		if e := problemOf(err); !e.IsCode(warifu.CodeUnavailable) && !e.IsCode(warifu.CodeInternal) {
			return refuse(invalidRequest, e)
		}
		return err
	}
	return nil
}
