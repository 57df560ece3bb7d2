package party

import (
	"context"
	"net/url"

	"warifu/sandbox/doctor"
)

// callbackCases change what the browser brings back.
func (x *Examination) callbackCases() []doctor.Case {
	no := func(id string, level doctor.Level, clause string, change func(l *login, q url.Values)) doctor.Case {
		return x.refuses(themeCallback, id, level, clause, arrived, act{callback: change})
	}
	missing := doctor.Must
	if x.config.Client.OneProvider {
		missing = doctor.Should
	}
	state := func(id, clause string, change func(l *login, q url.Values)) doctor.Case {
		return x.needing("state", "state-sent", no(id, doctor.Must, clause, change))
	}
	return []doctor.Case{
		state("state-missing", "RFC 6749 §4.1.2, §10.12", func(_ *login, q url.Values) { q.Del("state") }),
		state("state-other", "RFC 6749 §10.12", func(_ *login, q url.Values) { q.Set("state", random(24)) }),
		x.needing("state", "state-sent", x.stateSwapped()),
		x.codeElsewhere(),
		no("callback-iss-missing", missing, "RFC 9207 §2.4; RFC 9700 §4.4", func(_ *login, q url.Values) { q.Del("iss") }),
		no("callback-iss-other", doctor.Must, "RFC 9207 §2.4; RFC 3986 §6.2.1", func(_ *login, q url.Values) { q.Set("iss", x.config.Issuer+"/") }),
		x.mixUp(),
		no("parameters-twice", doctor.Should, "RFC 6749 §3.1", func(l *login, q url.Values) { q["code"] = []string{l.code, random(24)} }),
		x.guarded(themeCallback, "callback-empty", doctor.Should, "RFC 6749 §4.1.2", x.callbackEmpty),
		x.guarded(themeCallback, "callback-twice", doctor.Must, "RFC 9700 §2.1, §4.7", x.callbackTwice),
		x.guarded(themeCallback, "callback-unbegun", doctor.Must, "RFC 6749 §10.12", x.callbackUnbegun),
		x.guarded(themeCallback, "callback-other-browser", doctor.Must, "RFC 6749 §10.12; RFC 9700 §4.7", x.callbackOtherBrowser),
	}
}

// needing is a case that is skipped where the relying party does not send a parameter, which
// another case says.
func (x *Examination) needing(name, other string, c doctor.Case) doctor.Case {
	run := c.Run
	c.Run = func(ctx context.Context) doctor.Finding {
		b := x.begin(ctx, x.browser(), nil)
		if b.login != nil && b.login.request.Get(name) == "" {
			return doctor.Skip(doctor.Seen("see", "case", other))
		}
		return run(ctx)
	}
	return c
}

// stateSwapped has somebody who has begun a login of their own open the answer to an
// attacker's, which was begun in another browser: a good state, and not theirs.
func (x *Examination) stateSwapped() doctor.Case {
	return x.guarded(themeCallback, "state-swapped", doctor.Must, "RFC 6749 §10.12; RFC 9700 §4.7", func(ctx context.Context) doctor.Finding {
		victim, attacker := x.begin(ctx, x.browser(), nil), x.begin(ctx, x.browser(), nil)
		if victim.login == nil || attacker.login == nil {
			return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(victim.pages)))
		}
		return x.refused(x.arrive(ctx, visit{begun: victim}, x.provider.answered(attacker.login, act{})), arrived)
	})
}

// codeElsewhere injects the code of a login that somebody else began. The nonce fits, as an
// attacker who saw it would make it; what is left is PKCE, which the provider here checks.
func (x *Examination) codeElsewhere() doctor.Case {
	return x.guarded(themeCallback, "code-other-session", doctor.Must, "RFC 9700 §4.5; RFC 7636 §1", func(ctx context.Context) doctor.Finding {
		victim, attacker := x.begin(ctx, x.browser(), nil), x.begin(ctx, x.browser(), nil)
		if victim.login == nil || attacker.login == nil {
			return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(victim.pages)))
		}
		challenge := attacker.login.request.Get("code_challenge")
		switch challenge {
		case "":
			return doctor.Skip(doctor.Seen("see", "case", "pkce-sent"))
		case victim.login.request.Get("code_challenge"):
			return doctor.Skip(doctor.Seen("see", "case", "pkce-fresh"))
		}
		a := act{
			callback: func(_ *login, q url.Values) { q.Set("code", attacker.login.code) },
			claims: func(_ *login, c map[string]any) {
				if nonce := victim.login.request.Get("nonce"); nonce != "" {
					c["nonce"] = nonce
				}
			},
			refuse: func(l *login, c call) string {
				if verifierRight(challenge, c.form.Get("code_verifier")).Outcome == doctor.Pass {
					return ""
				}
				return "invalid_grant"
			},
		}
		x.provider.perform(a)
		defer x.provider.perform(act{})
		v := x.finish(ctx, victim, a)
		if f := x.refused(v, arrived); f.Outcome != doctor.Pass {
			return f
		}
		calls, _ := x.provider.reached(attacker.login)
		if len(calls) > 0 && verifierRight(challenge, calls[0].form.Get("code_verifier")).Outcome == doctor.Pass {
			return doctor.Found(doctor.Seen("verifier-elsewhere"))
		}
		return doctor.Passed()
	})
}

// mixUp answers in the name of a second provider: the code must not go anywhere.
func (x *Examination) mixUp() doctor.Case {
	return x.guarded(themeCallback, "mix-up", doctor.Must, "RFC 9207 §2.4; RFC 9700 §4.4", func(ctx context.Context) doctor.Finding {
		v := x.attempt(ctx, act{callback: func(_ *login, q url.Values) { q.Set("iss", "https://attacker.doctor.invalid/realms/main") }})
		if f := x.refused(v, arrived); f.Outcome != doctor.Pass {
			return f
		}
		if calls, _ := x.provider.reached(v.login); len(calls) > 0 {
			return doctor.Found(doctor.Seen("code-sent"))
		}
		return doctor.Passed()
	})
}

// callbackEmpty comes back with neither code nor error.
func (x *Examination) callbackEmpty(ctx context.Context) doctor.Finding {
	v := x.attempt(ctx, act{callback: func(_ *login, q url.Values) { q.Del("code") }})
	if f := x.refused(v, arrived); f.Outcome != doctor.Pass {
		return f
	}
	return civil(v)
}

// civil wants a refusal to be told as the visitor's, and not as a breakdown.
func civil(v visit) doctor.Finding {
	if s := last(v.back).status; s >= 500 {
		return doctor.Found(doctor.Seen("status", "status", statusOf(v.back)))
	}
	return doctor.Passed()
}

// callbackTwice opens the address of a login that ended well once more. The provider takes
// the code again, as it must not, and tells of another person.
func (x *Examination) callbackTwice(ctx context.Context) doctor.Finding {
	const other = "twice-somebody-else"
	again := func(l *login, c map[string]any) {
		if calls, _ := x.provider.reached(l); len(calls) > 1 {
			c["sub"], c["name"] = other, other
		}
	}
	a := act{claims: again, userinfo: again}
	x.provider.perform(a)
	defer x.provider.perform(act{})
	b := x.begin(ctx, x.browser(), nil)
	if b.login == nil {
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(b.pages)))
	}
	callback := x.provider.answered(b.login, a)
	first := x.arrive(ctx, visit{begun: b}, callback)
	if f := x.admitted(first); f.Outcome != doctor.Pass {
		return doctor.Unsure(f.Notes...)
	}
	second := x.arrive(ctx, visit{begun: b}, callback)
	if second.err == nil && second.who != "" && !x.is(second.who, b.login) {
		return doctor.Found(doctor.Seen("let-in", "who", second.who))
	}
	return doctor.Passed()
}

// callbackUnbegun brings a good code to somebody who has begun nothing, with a state that
// was never given out: an attacker's login forced upon them.
func (x *Examination) callbackUnbegun(ctx context.Context) doctor.Finding {
	b := x.begin(ctx, x.browser(), nil)
	if b.login == nil {
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(b.pages)))
	}
	callback := x.provider.answered(b.login, act{callback: func(_ *login, q url.Values) { q.Set("state", random(24)) }})
	b.browser = x.browser()
	return x.refused(x.arrive(ctx, visit{begun: b}, callback), arrived)
}

// callbackOtherBrowser opens an honest answer in another browser than the one that began.
func (x *Examination) callbackOtherBrowser(ctx context.Context) doctor.Finding {
	b := x.begin(ctx, x.browser(), nil)
	if b.login == nil {
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(b.pages)))
	}
	callback := x.provider.answered(b.login, act{})
	b.browser = x.browser()
	return x.refused(x.arrive(ctx, visit{begun: b}, callback), arrived)
}
