package party

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"warifu/sandbox/doctor"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionLife bounds how far ahead an assertion may expire.
	assertionLife = 6 * time.Minute
)

// brought is a case about what the relying party brings to the token endpoint.
func (x *Examination) brought(id string, level doctor.Level, clause string, see func(context.Context, *login, call) doctor.Finding) doctor.Case {
	return doctor.Case{ID: id, Theme: themeClient, Level: level, Clause: clause, Run: func(ctx context.Context) doctor.Finding {
		v := x.attempt(ctx, act{})
		if v.login == nil {
			return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(v.pages)))
		}
		calls, _ := x.provider.reached(v.login)
		if len(calls) == 0 {
			return doctor.Unsure(doctor.Seen("not-far", "status", statusOf(v.back)))
		}
		return see(ctx, v.login, calls[0])
	}}
}

// asserted is brought for what a client assertion says; claims are unverified.
func (x *Examination) asserted(id string, level doctor.Level, clause string, see func(ctx context.Context, raw string, claims map[string]any) doctor.Finding) doctor.Case {
	return x.brought(id, level, clause, func(ctx context.Context, _ *login, c call) doctor.Finding {
		if x.config.Client.Authentication != byAssertion {
			return doctor.Skip(doctor.Seen("unset", "field", "client.authentication"))
		}
		raw := c.form.Get("client_assertion")
		if raw == "" {
			return doctor.Skip(doctor.Seen("see", "case", "client-authenticated"))
		}
		claims, ok := claimsOf(raw)
		if !ok {
			return doctor.Found(doctor.Seen("value", "name", "client_assertion", "value", raw, "want", "JWT"))
		}
		return see(ctx, raw, claims)
	})
}

// claimsOf reads the payload of a JWT, whoever signed it.
func claimsOf(raw string) (map[string]any, bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]any
	return claims, err == nil && json.Unmarshal(b, &claims) == nil && claims != nil
}

// clientCases look at how the relying party redeems the code and says who it is.
func (x *Examination) clientCases() []doctor.Case {
	id := x.config.Client.ID
	return []doctor.Case{
		x.brought("client-authenticated", doctor.Must, "OIDC Core §9; FAPI 2.0 §5.3.3", x.authenticatedAs),
		x.asserted("assertion-signature", doctor.Must, "RFC 7523 §3 (9)", x.assertionSigned),
		x.asserted("assertion-algorithm", doctor.Must, "FAPI 2.0 §5.4.1; RFC 8725 §3.1", func(_ context.Context, raw string, _ map[string]any) doctor.Finding {
			if _, err := jwt.ParseSigned(raw, strong); err != nil {
				return doctor.Found(doctor.Seen("value", "name", "alg", "value", headOf(raw), "want", "ES256, PS256, RS256"))
			}
			return doctor.Passed()
		}),
		x.asserted("assertion-subject", doctor.Must, "RFC 7523 §3 (1, 2); OIDC Core §9", func(_ context.Context, _ string, c map[string]any) doctor.Finding {
			for _, name := range []string{"iss", "sub"} {
				if c[name] != id {
					return doctor.Found(doctor.Seen("value", "name", name, "value", shown(written(c[name])), "want", id))
				}
			}
			return doctor.Passed()
		}),
		x.asserted("assertion-audience", doctor.Must, "RFC 7523 §3 (3); OIDC Core §9", x.assertionAudience),
		x.asserted("assertion-expiry", doctor.Must, "RFC 7523 §3 (4)", x.assertionExpiry),
		x.assertionOnce(),
		{ID: "client-keys-public", Theme: themeClient, Level: doctor.Must, Clause: "RFC 7517 §9.2", Run: x.clientKeysPublic},
		x.brought("token-request-body", doctor.Must, "RFC 6749 §2.3, §2.3.1, §3.2", tokenRequestBody),
		x.brought("pkce-verifier-right", doctor.Must, "RFC 7636 §4.5, §4.6", func(_ context.Context, l *login, c call) doctor.Finding {
			if m := l.request.Get("code_challenge_method"); m != "" && m != "S256" {
				return doctor.Skip(doctor.Seen("see", "case", "pkce-s256"))
			}
			return verifierRight(l.request.Get("code_challenge"), c.form.Get("code_verifier"))
		}),
		x.brought("pkce-verifier-form", doctor.Must, "RFC 7636 §4.1", func(_ context.Context, _ *login, c call) doctor.Finding {
			v := c.form.Get("code_verifier")
			if v == "" {
				return doctor.Skip(doctor.Seen("see", "case", "pkce-verifier-right"))
			}
			if !verifierForm.MatchString(v) {
				return doctor.Found(doctor.Seen("value", "name", "code_verifier", "value", v, "want", "43–128 × [A-Za-z0-9-._~]"))
			}
			return doctor.Passed()
		}),
		x.brought("redirect-uri-repeated", doctor.Must, "RFC 6749 §4.1.3", func(_ context.Context, l *login, c call) doctor.Finding {
			want, got := l.request.Get("redirect_uri"), c.form.Get("redirect_uri")
			if want != x.config.Client.RedirectURI {
				return doctor.Skip(doctor.Seen("see", "case", "redirect-uri-exact"))
			}
			if got != want {
				return doctor.Found(doctor.Seen("value", "name", "redirect_uri", "value", shown(got), "want", want))
			}
			return doctor.Passed()
		}),
	}
}

var (
	strong       = []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256}
	verifierForm = regexp.MustCompile(`^[A-Za-z0-9\-._~]{43,128}$`)
)

func headOf(raw string) string {
	head, _, _ := strings.Cut(raw, ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return head
	}
	return string(b)
}

// written is a claim as a report shows it.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, _ := json.Marshal(v) // was JSON
	return string(b)
}

func verifierRight(challenge, verifier string) doctor.Finding {
	if challenge == "" {
		return doctor.Skip(doctor.Seen("see", "case", "pkce-sent"))
	}
	if verifier == "" {
		return doctor.Found(doctor.Seen("absent", "name", "code_verifier"))
	}
	if b, err := base64.RawURLEncoding.DecodeString(challenge); err == nil && len(b) == 32 && base64.RawURLEncoding.EncodeToString(sum256([]byte(verifier))) != challenge {
		return doctor.Found(doctor.Seen("value", "name", "code_verifier", "value", verifier, "want", "SHA-256⁻¹("+challenge+")"))
	}
	return doctor.Passed()
}

// authenticatedAs wants the way of authentication that was registered.
func (x *Examination) authenticatedAs(_ context.Context, _ *login, c call) doctor.Finding {
	_, _, basic := (&http.Request{Header: c.header}).BasicAuth()
	got := byNothing
	switch {
	case c.form.Get("client_assertion_type") == assertionType && c.form.Get("client_assertion") != "":
		got = byAssertion
	case basic:
		got = byBasic
	case c.form.Get("client_secret") != "":
		got = byPost
	}
	if want := x.config.Client.Authentication; got != want {
		return doctor.Found(doctor.Seen("value", "name", "client authentication", "value", got, "want", want))
	}
	return doctor.Passed()
}

// tokenRequestBody wants a POST with everything in its body, authenticated in one way.
func tokenRequestBody(_ context.Context, _ *login, c call) doctor.Finding {
	if c.method != http.MethodPost {
		return doctor.Found(doctor.Seen("value", "name", "method", "value", c.method, "want", "POST"))
	}
	for name := range c.query {
		if slices.Contains([]string{"code", "code_verifier", "client_secret", "client_assertion"}, name) {
			return doctor.Found(doctor.Seen("in-address", "name", name))
		}
	}
	ways := 0
	for _, there := range []bool{c.header.Get("Authorization") != "", c.form.Has("client_secret"), c.form.Has("client_assertion")} {
		if there {
			ways++
		}
	}
	if ways > 1 {
		return doctor.Found(doctor.Seen("value", "name", "client authentication", "value", strconv.Itoa(ways), "want", "1"))
	}
	return doctor.Passed()
}

// clientKeys are the relying party's, by value or from its address.
func (x *Examination) clientKeys(ctx context.Context) ([]byte, error) {
	if x.config.Client.JWKS != "" || x.config.Client.JWKSURI == "" {
		return []byte(x.config.Client.JWKS), nil
	}
	ctx, cancel := context.WithTimeout(ctx, x.config.Patience.Duration)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.config.Client.JWKSURI, nil)
	if err != nil {
		return nil, err
	}
	answer, err := (&http.Client{Transport: x.transport}).Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(io.LimitReader(answer.Body, 1<<20))
}

func (x *Examination) assertionSigned(ctx context.Context, raw string, _ map[string]any) doctor.Finding {
	file, err := x.clientKeys(ctx)
	if err != nil {
		return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
	}
	if len(file) == 0 {
		return doctor.Skip(doctor.Seen("unset", "field", "client.jwks"))
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(file, &set); err != nil {
		return doctor.Found(doctor.Seen("broken", "what", err.Error()))
	}
	parsed, err := jwt.ParseSigned(raw, strong)
	if err != nil {
		return doctor.Skip(doctor.Seen("see", "case", "assertion-algorithm"))
	}
	for _, k := range set.Keys {
		if parsed.Claims(k.Public().Key, &struct{}{}) == nil {
			return doctor.Passed()
		}
	}
	return doctor.Found(doctor.Seen("not-by-keys", "keys", strconv.Itoa(len(set.Keys))))
}

func (x *Examination) assertionAudience(_ context.Context, _ string, c map[string]any) doctor.Finding {
	good := []string{x.config.Issuer, x.config.Issuer + pathToken}
	audience, ok := c["aud"].([]any)
	if !ok {
		audience = []any{c["aud"]}
	}
	for _, a := range audience {
		if s, _ := a.(string); !slices.Contains(good, s) {
			return doctor.Found(doctor.Seen("value", "name", "aud", "value", shown(written(c["aud"])), "want", strings.Join(good, ", ")))
		}
	}
	return doctor.Passed()
}

func (x *Examination) assertionExpiry(_ context.Context, _ string, c map[string]any) doctor.Finding {
	exp, ok := c["exp"].(float64)
	if !ok {
		return doctor.Found(doctor.Seen("absent", "name", "exp"))
	}
	ahead := time.Unix(int64(exp), 0).Sub(x.clock.Now())
	if ahead < 0 || ahead > assertionLife {
		return doctor.Found(doctor.Seen("value", "name", "exp", "value", ahead.Round(time.Second).String(), "want", "≤ 5m"))
	}
	return doctor.Passed()
}

// assertionOnce wants a name of its own for each assertion of a few logins, pushes included.
func (x *Examination) assertionOnce() doctor.Case {
	return x.asserted("assertion-jti", doctor.Must, "RFC 7523 §3 (7); OIDC Core §9", func(ctx context.Context, _ string, c map[string]any) doctor.Finding {
		seen := map[string]bool{}
		for _, made := range x.provider.authenticated() {
			raw := made.form.Get("client_assertion")
			claims, ok := claimsOf(raw)
			if raw == "" || !ok {
				continue
			}
			id := written(claims["jti"])
			if id == "" {
				return doctor.Found(doctor.Seen("absent", "name", "jti"))
			}
			if seen[id] {
				return doctor.Found(doctor.Seen("again", "name", "jti", "value", id))
			}
			seen[id] = true
		}
		if len(seen) < 2 { // this login alone, where the case is tried by itself
			return x.twoAssertions(ctx, written(c["jti"]))
		}
		return doctor.Passed()
	})
}

func (x *Examination) twoAssertions(ctx context.Context, first string) doctor.Finding {
	v := x.attempt(ctx, act{})
	if v.login == nil {
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(v.pages)))
	}
	calls, _ := x.provider.reached(v.login)
	if len(calls) == 0 {
		return doctor.Unsure(doctor.Seen("not-far", "status", statusOf(v.back)))
	}
	claims, _ := claimsOf(calls[0].form.Get("client_assertion"))
	if written(claims["jti"]) == first {
		return doctor.Found(doctor.Seen("again", "name", "jti", "value", first))
	}
	return doctor.Passed()
}

// private are the members of a JWK that are nobody's business (RFC 7518 §6).
var private = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

func (x *Examination) clientKeysPublic(ctx context.Context) doctor.Finding {
	if x.config.Client.Authentication != byAssertion {
		return doctor.Skip(doctor.Seen("unset", "field", "client.authentication"))
	}
	file, err := x.clientKeys(ctx)
	if err != nil {
		return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
	}
	if len(file) == 0 {
		return doctor.Skip(doctor.Seen("unset", "field", "client.jwks"))
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(file, &set); err != nil || len(set.Keys) == 0 {
		return doctor.Found(doctor.Seen("absent", "name", "keys"))
	}
	for _, k := range set.Keys {
		for _, name := range private {
			if _, there := k[name]; there {
				return doctor.Found(doctor.Seen("in-keys", "name", name))
			}
		}
	}
	return doctor.Passed()
}
