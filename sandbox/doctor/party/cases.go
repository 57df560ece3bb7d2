package party

import (
	"context"
	"net/url"

	"warifu/sandbox/doctor"
)

// The themes, in the order in which they are tried.
const (
	themeHonest   = "honest"
	themeRequest  = "request"
	themeClient   = "client"
	themeCallback = "callback"
	themeIDToken  = "id-token"
	themeKeys     = "keys"
	themeDemands  = "demands"
	themeUserInfo = "userinfo"
	themeErrors   = "errors"
	themeOutage   = "outage"
	themeSession  = "session"
)

func (x *Examination) themes() [][]doctor.Case {
	return [][]doctor.Case{
		x.honestCases(), x.requestCases(), x.clientCases(), x.callbackCases(), x.idTokenCases(), x.keyCases(),
		x.demandCases(), x.userInfoCases(), x.errorCases(), x.sessionCases(), x.outageCases(), x.discoveryCases(), x.verifierCases(),
	}
}

// claim is an act that sets one claim of the ID token; nil takes it away.
func claim(name string, value any) act {
	return act{claims: func(_ *login, c map[string]any) {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}}
}

func (x *Examination) honestCases() []doctor.Case {
	honest := func(id string, level doctor.Level, clause string, a act) doctor.Case {
		return x.admits(themeHonest, id, level, clause, a)
	}
	return []doctor.Case{
		{ID: "honest-login", Theme: themeHonest, Level: doctor.Must, Clause: "OIDC Core §3.1", Run: func(ctx context.Context) doctor.Finding {
			return x.admitted(x.attempt(ctx, act{}))
		}},
		honest("aud-one-in-array", doctor.Must, "OIDC Core §2; RFC 7519 §4.1.3", act{claims: func(_ *login, c map[string]any) {
			c["aud"] = []string{x.config.Client.ID}
		}}),
		honest("unknown-claims", doctor.Must, "OIDC Core §3.1.2.5; RFC 6749 §4.1.2, §5.1", act{
			claims:   func(_ *login, c map[string]any) { c["urn:doctor:unknown"] = map[string]any{"more": []int{1, 2}} },
			answer:   func(_ *login, a map[string]any) { a["doctor_unknown"] = "x" },
			callback: func(_ *login, q url.Values) { q.Set("doctor_unknown", "x") },
		}),
		honest("small-skew", doctor.Should, "RFC 7519 §4.1.5, §4.1.6", act{claims: func(_ *login, c map[string]any) {
			ahead := x.clock.Now().Unix() + 5
			c["iat"], c["auth_time"], c["nbf"] = ahead, ahead, ahead
		}}),
		x.withFreshKey("foreign-keys-beside", doctor.Should, "RFC 7517 §5", func(keys []any) []any {
			return append([]any{
				map[string]any{"kty": "doctor-unknown", "kid": "unknown", "use": "sig"},
				map[string]any{"kty": "OKP", "crv": "X25519", "kid": "agreement", "use": "enc", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"},
			}, keys...)
		}),
		x.rotated(),
	}
}
