package party

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"warifu/sandbox/doctor"
)

// errorCases answer with errors, some of them hostile.
func (x *Examination) errorCases() []doctor.Case {
	const clause = "RFC 6749 §4.1.2.1; OIDC Core §3.1.2.6"
	return []doctor.Case{
		x.guarded(themeErrors, "error-access-denied", doctor.Must, clause, func(ctx context.Context) doctor.Finding {
			return x.declined(ctx, "access_denied")
		}),
		x.guarded(themeErrors, "error-login-required", doctor.Should, clause, func(ctx context.Context) doctor.Finding {
			v := x.attempt(ctx, failing("login_required", ""))
			if f := x.refused(v, arrived); f.Outcome != doctor.Pass {
				return f
			}
			return civil(v)
		}),
		x.refuses(themeErrors, "error-with-code", doctor.Must, clause, arrived, act{callback: func(_ *login, q url.Values) { q.Set("error", "access_denied") }}),
		x.guarded(themeErrors, "error-escaped", doctor.Must, "CWE-79", x.errorEscaped),
		x.guarded(themeErrors, "error-code-escaped", doctor.Must, "CWE-79", func(ctx context.Context) doctor.Finding {
			return x.escaped(x.attempt(ctx, failing(hostile, "")))
		}),
		x.needing("state", "state-sent", x.guarded(themeErrors, "state-escaped", doctor.Must, "CWE-79", func(ctx context.Context) doctor.Finding {
			return x.escaped(x.attempt(ctx, act{callback: func(_ *login, q url.Values) { q.Set("state", hostile) }}))
		})),
	}
}

// hostile is markup and script that a page must not repeat as it is.
const hostile = `"'><script>doctor(1)</script><img src=x onerror=doctor(2)>`

// failing is an answer with an error instead of a code.
func failing(code, description string) act {
	return act{callback: func(_ *login, q url.Values) {
		q.Del("code")
		q.Set("error", code)
		if description != "" {
			q.Set("error_description", description)
			q.Set("error_uri", "javascript:doctor(3)")
		}
	}}
}

// declined wants the code endpoint left alone after an error.
func (x *Examination) declined(ctx context.Context, code string) doctor.Finding {
	before := x.provider.count(pathToken)
	v := x.attempt(ctx, failing(code, ""))
	if f := x.refused(v, arrived); f.Outcome != doctor.Pass {
		return f
	}
	if x.provider.count(pathToken) > before {
		return doctor.Found(doctor.Seen("code-sent"))
	}
	return doctor.Passed()
}

func (x *Examination) errorEscaped(ctx context.Context) doctor.Finding {
	return x.escaped(x.attempt(ctx, failing("server_error", hostile)))
}

var scriptAddress = regexp.MustCompile(`(?i)\b(?:href|src|action)\s*=\s*["']?\s*javascript:`)

// escaped wants no page of a visit to repeat the hostile markup as markup.
func (x *Examination) escaped(v visit) doctor.Finding {
	if f := x.refused(v, arrived); f.Outcome != doctor.Pass {
		return f
	}
	for _, p := range v.back {
		kind := strings.ToLower(p.header.Get("Content-Type"))
		if kind != "" && !strings.Contains(kind, "html") && !strings.Contains(kind, "xml") {
			continue // browsers show it as text
		}
		for _, piece := range []string{"<script>doctor(1)", "<img src=x onerror=doctor(2)"} {
			if strings.Contains(p.body, piece) {
				return doctor.Found(doctor.Seen("unescaped", "what", piece, "path", p.url.Path))
			}
		}
		if m := scriptAddress.FindString(p.body); m != "" {
			return doctor.Found(doctor.Seen("unescaped", "what", m, "path", p.url.Path))
		}
	}
	return doctor.Passed()
}
