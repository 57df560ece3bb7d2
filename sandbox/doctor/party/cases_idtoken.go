package party

import (
	"context"
	"time"

	"warifu/sandbox/doctor"
)

const checks = "OIDC Core §3.1.3.7"

// idTokenCases change one claim of an ID token that is otherwise honest and honestly signed.
func (x *Examination) idTokenCases() []doctor.Case {
	now := func() int64 { return x.clock.Now().Unix() }
	day := int64(24 * time.Hour / time.Second)
	no := func(id string, level doctor.Level, clause string, a act) doctor.Case {
		return x.refuses(themeIDToken, id, level, clause, askedToken, a)
	}
	later := func(name string, seconds func() int64) act {
		return act{claims: func(_ *login, c map[string]any) { c[name] = seconds() }}
	}
	return []doctor.Case{
		no("id-token-missing", doctor.Must, "OIDC Core §3.1.3.3", act{answer: func(_ *login, a map[string]any) { delete(a, "id_token") }}),
		no("id-token-garbage", doctor.Must, "RFC 7515 §5.2", act{token: func(*login) string { return "AAAA.not-a-token.AAAA" }}),
		no("iss-other", doctor.Must, checks+" (2)", claim("iss", "https://issuer.doctor.invalid/api/realms/main")),
		no("iss-missing", doctor.Must, checks+" (2)", claim("iss", nil)),
		no("aud-other", doctor.Must, checks+" (3)", claim("aud", "another-client")),
		no("aud-missing", doctor.Must, checks+" (3)", claim("aud", nil)),
		no("aud-foreign", doctor.Should, checks+" (3, 4)", act{claims: func(_ *login, c map[string]any) {
			c["aud"] = []string{x.config.Client.ID, "another-client"}
			delete(c, "azp")
		}}),
		no("azp-other", doctor.Should, checks+" (5)", claim("azp", "another-client")),
		no("exp-past", doctor.Must, checks+" (9)", act{claims: func(_ *login, c map[string]any) {
			c["iat"], c["exp"] = now()-7200, now()-3600
		}}),
		no("exp-missing", doctor.Must, "OIDC Core §2; "+checks+" (9)", claim("exp", nil)),
		no("iat-future", doctor.Should, checks+" (10)", act{claims: func(_ *login, c map[string]any) {
			c["iat"], c["exp"] = now()+day, now()+2*day
		}}),
		no("iat-past", doctor.Should, checks+" (10)", later("iat", func() int64 { return now() - 30*day })),
		no("iat-missing", doctor.Should, "OIDC Core §2", claim("iat", nil)),
		no("nbf-future", doctor.Should, "RFC 7519 §4.1.5", later("nbf", func() int64 { return now() + day })),
		no("sub-missing", doctor.Must, "OIDC Core §2", claim("sub", nil)),
		x.needing("nonce", "nonce-sent", no("nonce-missing", doctor.Must, checks+" (11)", claim("nonce", nil))),
		x.needing("nonce", "nonce-sent", no("nonce-other", doctor.Must, checks+" (11)", claim("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))),
		x.needing("nonce", "nonce-sent", x.nonceReplayed()),
		no("at-hash-wrong", doctor.Should, "OIDC Core §3.1.3.8", claim("at_hash", halfHash("another access token"))),
	}
}

// nonceReplayed answers a login with the nonce of an earlier one, which had ended well.
func (x *Examination) nonceReplayed() doctor.Case {
	return x.guarded(themeIDToken, "nonce-replayed", doctor.Must, checks+" (11); OIDC Core §15.5.2", func(ctx context.Context) doctor.Finding {
		first := x.attempt(ctx, act{})
		if f := x.admitted(first); f.Outcome != doctor.Pass {
			return doctor.Unsure(f.Notes...)
		}
		a := act{claims: func(_ *login, c map[string]any) { c["nonce"] = first.login.request.Get("nonce") }}
		x.provider.perform(a)
		defer x.provider.perform(act{})
		b := x.begin(ctx, x.browser(), nil)
		if b.login != nil && b.login.request.Get("nonce") == first.login.request.Get("nonce") {
			return doctor.Skip(doctor.Seen("see", "case", "nonce-fresh"))
		}
		return x.refused(x.finish(ctx, b, a), askedToken)
	})
}
