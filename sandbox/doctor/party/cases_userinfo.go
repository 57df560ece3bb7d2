package party

import (
	"context"
	"net/http"
	"strings"

	"warifu/sandbox/doctor"
)

// told is a case about what userinfo answers, for relying parties that ask.
func (x *Examination) told(id string, level doctor.Level, clause string, run func(context.Context) doctor.Finding) doctor.Case {
	return x.guarded(themeUserInfo, id, level, clause, func(ctx context.Context) doctor.Finding {
		if !x.shape(ctx).userinfo {
			return doctor.Skip(doctor.Seen("no-userinfo"))
		}
		return run(ctx)
	})
}

// askedUserInfo: it asked for the attributes, and so has seen what was wrong with them.
func askedUserInfo(x *Examination, v visit) bool {
	_, asked := x.provider.reached(v.login)
	return asked > 0
}

// userInfoCases tamper with the attributes.
func (x *Examination) userInfoCases() []doctor.Case {
	const clause = "OIDC Core §5.3.2, §5.3.4"
	refused := func(a act) func(context.Context) doctor.Finding {
		return func(ctx context.Context) doctor.Finding { return x.unused(ctx, x.attempt(ctx, a), foreignName) }
	}
	return []doctor.Case{
		x.told("userinfo-sub-other", doctor.Must, clause, refused(act{userinfo: func(_ *login, c map[string]any) { c["sub"], c["name"] = "somebody-else", foreignName }})),
		x.told("userinfo-sub-missing", doctor.Must, clause, refused(act{userinfo: func(_ *login, c map[string]any) {
			delete(c, "sub")
			c["name"] = foreignName
		}})),
		x.told("sub-swapped", doctor.Must, clause, x.subSwapped),
		x.told("userinfo-html", doctor.Should, "OIDC Core §5.3.2", func(ctx context.Context) doctor.Finding {
			return x.civilly(x.attempt(ctx, x.serving(pathUserInfo, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = w.Write([]byte("<!doctype html><title>hotspot</title><p>Please accept our terms.</p>"))
			})))
		}),
		x.told("userinfo-slow", doctor.Must, clearPage, func(ctx context.Context) doctor.Finding {
			return x.answers(x.attempt(ctx, x.serving(pathUserInfo, hang)))
		}),
		x.told("userinfo-down", doctor.Must, clearPage, func(ctx context.Context) doctor.Finding {
			return x.answers(x.attempt(ctx, x.serving(pathUserInfo, hangUp)))
		}),
		x.told("userinfo-huge", doctor.Should, "CWE-770", x.bounded(pathUserInfo)),
	}
}

// subSwapped answers the attributes of another real person, who has logged in before.
func (x *Examination) subSwapped(ctx context.Context) doctor.Finding {
	victim := x.attempt(ctx, act{})
	if f := x.admitted(victim); f.Outcome != doctor.Pass {
		return doctor.Unsure(f.Notes...)
	}
	v := x.attempt(ctx, act{userinfo: func(_ *login, c map[string]any) { c["sub"], c["name"] = victim.login.subject, victim.login.name }})
	return x.unused(ctx, v, victim.login.name)
}

// foreignName is the name in attributes that must not be used.
const foreignName = "name-of-somebody-else"

// unused wants attributes of somebody else left alone: the login refused, or going on as the
// ID token's person with nothing of them (OIDC Core §5.3.2 forbids to use them, no more).
func (x *Examination) unused(ctx context.Context, v visit, name string) doctor.Finding {
	if v.err != nil || v.login == nil || v.who == "" {
		return x.refused(v, askedUserInfo)
	}
	_, asked := x.provider.reached(v.login)
	switch {
	case strings.Contains(v.says, name):
		return doctor.Found(doctor.Seen("used", "value", name))
	case x.config.Who.Claim == "sub" && !x.is(v.who, v.login):
		return doctor.Found(doctor.Seen("other", "who", v.who))
	case asked == 0:
		return doctor.Unsure(doctor.Seen("not-far", "status", statusOf(v.back)))
	case !x.shape(ctx).names:
		return doctor.Skip(doctor.Seen("name-unseen"))
	}
	return doctor.Passed()
}

// serving is an act in which one path is answered so.
func (x *Examination) serving(path string, serve http.HandlerFunc) act {
	return act{serve: func(w http.ResponseWriter, r *http.Request, at string) bool {
		if at == path {
			serve(w, r)
		}
		return at == path
	}}
}

// civilly wants an answer that is no breakdown, whoever is logged in after it.
func (x *Examination) civilly(v visit) doctor.Finding {
	switch {
	case v.err != nil:
		return doctor.Found(doctor.Seen("broken", "what", v.err.Error()))
	case v.login == nil:
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(v.pages)))
	}
	if f := traceless(v.back); f.Outcome != doctor.Pass {
		return f
	}
	return civil(v)
}
