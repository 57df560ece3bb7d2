package party

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"warifu/sandbox/doctor"
)

const (
	// samples is how many logins are begun to see whether a value is fresh each time.
	samples = 5
	// varying is how many characters of a value have to differ from one login to the next:
	// 128 bits in hexadecimal are 32, in base64url 22; a sealed value has a constant head.
	varying = 16
)

// look is a case about the authorization request of one login that is begun and not ended.
func (x *Examination) look(id string, level doctor.Level, clause string, see func(*login) doctor.Finding) doctor.Case {
	return doctor.Case{ID: id, Theme: themeRequest, Level: level, Clause: clause, Run: func(ctx context.Context) doctor.Finding {
		b := x.begin(ctx, x.browser(), nil)
		if b.err != nil {
			return doctor.Unsure(doctor.Seen("broken", "what", b.err.Error()))
		}
		if b.login == nil {
			return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(b.pages)))
		}
		return see(b.login)
	}}
}

// equals wants a parameter of the request to be so.
func equals(name, want string) func(*login) doctor.Finding {
	return func(l *login) doctor.Finding {
		if got := l.request.Get(name); got != want {
			return doctor.Found(doctor.Seen("value", "name", name, "value", shown(got), "want", want))
		}
		return doctor.Passed()
	}
}

// present wants a parameter to be there.
func present(name string) func(*login) doctor.Finding {
	return func(l *login) doctor.Finding {
		if l.request.Get(name) == "" {
			return doctor.Found(doctor.Seen("absent", "name", name))
		}
		return doctor.Passed()
	}
}

func shown(s string) string {
	if s == "" {
		return "∅"
	}
	return s
}

// requestCases look at what the relying party sends the browser to the provider with.
func (x *Examination) requestCases() []doctor.Case {
	c := x.config
	return []doctor.Case{
		x.look("response-type-code", doctor.Must, "OIDC Core §3.1.2.1; FAPI 2.0 §5.3.3", equals("response_type", "code")),
		x.look("scope-openid", doctor.Must, "OIDC Core §3.1.2.1", func(l *login) doctor.Finding {
			return contains(l, "scope", "openid")
		}),
		x.look("client-id-right", doctor.Must, "RFC 6749 §4.1.1", equals("client_id", c.Client.ID)),
		x.look("redirect-uri-exact", doctor.Must, "OIDC Core §3.1.2.1; RFC 9700 §2.1", equals("redirect_uri", c.Client.RedirectURI)),
		x.look("state-sent", doctor.Must, "RFC 6749 §10.12", present("state")),
		x.fresh("state-unguessable", "state", "RFC 6749 §10.10, §10.12"),
		x.look("nonce-sent", doctor.Must, "OIDC Core §3.1.2.1, §15.5.2", present("nonce")),
		x.fresh("nonce-fresh", "nonce", "OIDC Core §15.5.2"),
		x.look("pkce-sent", doctor.Must, "RFC 7636 §4.3; FAPI 2.0 §5.3.3", present("code_challenge")),
		x.look("pkce-s256", doctor.Must, "RFC 7636 §4.2, §7.2", pkceS256),
		x.fresh("pkce-fresh", "code_challenge", "RFC 7636 §4.1"),
		x.look("acr-asked", doctor.Must, "OIDC Core §3.1.2.1, §5.5.1.1", func(l *login) doctor.Finding {
			if len(c.Demands.ACR) == 0 {
				return doctor.Skip(doctor.Seen("unset", "field", "demands.acr"))
			}
			return contains(l, "acr_values", c.Demands.ACR[0])
		}),
		x.look("max-age-asked", doctor.Must, "OIDC Core §3.1.2.1", func(l *login) doctor.Finding {
			if c.Demands.MaxAge.Duration == 0 {
				return doctor.Skip(doctor.Seen("unset", "field", "demands.max_age"))
			}
			return equals("max_age", strconv.Itoa(int(c.Demands.MaxAge.Seconds())))(l)
		}),
		x.look("par-used", doctor.Must, "RFC 9126 §2, §4", func(l *login) doctor.Finding {
			switch {
			case !c.Client.PAR:
				return doctor.Skip(doctor.Seen("unset", "field", "client.par"))
			case l.pushed == nil:
				return doctor.Found(doctor.Seen("absent", "name", "request_uri"))
			}
			return doctor.Passed()
		}),
		x.look("secrets-in-front", doctor.Must, "RFC 6749 §2.3.1, §10.3", func(l *login) doctor.Finding {
			for _, name := range []string{"client_secret", "client_assertion", "code_verifier", "access_token", "id_token", "refresh_token"} {
				if l.front.Has(name) {
					return doctor.Found(doctor.Seen("in-front", "name", name))
				}
			}
			return doctor.Passed()
		}),
	}
}

func contains(l *login, name, want string) doctor.Finding {
	for _, v := range strings.Fields(l.request.Get(name)) {
		if v == want {
			return doctor.Passed()
		}
	}
	return doctor.Found(doctor.Seen("value", "name", name, "value", shown(l.request.Get(name)), "want", want))
}

// pkceS256 wants the method S256 and a challenge that could be a SHA-256.
func pkceS256(l *login) doctor.Finding {
	challenge := l.request.Get("code_challenge")
	if challenge == "" {
		return doctor.Skip(doctor.Seen("see", "case", "pkce-sent"))
	}
	if f := equals("code_challenge_method", "S256")(l); f.Outcome != doctor.Pass {
		return f
	}
	if b, err := base64.RawURLEncoding.DecodeString(challenge); err != nil || len(b) != 32 {
		return doctor.Found(doctor.Seen("value", "name", "code_challenge", "value", challenge, "want", "base64url(SHA-256)"))
	}
	return doctor.Passed()
}

// fresh wants a parameter to be another, and not to be guessed, at each login.
func (x *Examination) fresh(id, name, clause string) doctor.Case {
	return doctor.Case{ID: id, Theme: themeRequest, Level: doctor.Must, Clause: clause, Run: func(ctx context.Context) doctor.Finding {
		var values []string
		for range samples {
			b := x.begin(ctx, x.browser(), nil)
			if b.err != nil || b.login == nil {
				return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(b.pages)))
			}
			v := b.login.request.Get(name)
			if v == "" {
				return doctor.Skip(doctor.Seen("see", "case", map[string]string{"state": "state-sent", "nonce": "nonce-sent", "code_challenge": "pkce-sent"}[name]))
			}
			values = append(values, v)
		}
		for i, v := range values {
			for _, w := range values[:i] {
				if v == w {
					return doctor.Found(doctor.Seen("again", "name", name, "value", v))
				}
				if differing(v, w) < varying {
					return doctor.Found(doctor.Seen("guessable", "name", name, "value", v, "other", w))
				}
			}
		}
		return doctor.Passed()
	}}
}

// differing is how long the longer of two values is without what they begin and end with alike.
func differing(v, w string) int {
	for len(v) > 0 && len(w) > 0 && v[0] == w[0] {
		v, w = v[1:], w[1:]
	}
	for len(v) > 0 && len(w) > 0 && v[len(v)-1] == w[len(w)-1] {
		v, w = v[:len(v)-1], w[:len(w)-1]
	}
	return max(len(v), len(w))
}
