package party

import (
	"context"
	"html"
	"regexp"
	"strconv"
	"strings"

	"warifu/sandbox/doctor"
)

// settled is how far a relying party has to come before its refusal says anything.
type settled func(x *Examination, v visit) bool

// askedToken: it brought the code to the token endpoint, and so has seen the ID token.
func askedToken(x *Examination, v visit) bool {
	calls, _ := x.provider.reached(v.login)
	return len(calls) > 0
}

// arrived: it was sent back to.
func arrived(_ *Examination, v visit) bool { return len(v.back) > 0 }

// refused judges a login that must end with nobody logged in.
func (x *Examination) refused(v visit, far settled) doctor.Finding {
	switch {
	case v.err != nil:
		return doctor.Unsure(doctor.Seen("broken", "what", v.err.Error()))
	case v.login == nil:
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(v.pages)))
	case v.who != "":
		return doctor.Found(doctor.Seen("let-in", "who", v.who))
	case !far(x, v):
		return doctor.Unsure(doctor.Seen("not-far", "status", statusOf(v.back)))
	}
	return doctor.Passed()
}

// admitted judges a login that must succeed.
func (x *Examination) admitted(v visit) doctor.Finding {
	switch {
	case v.err != nil:
		return doctor.Found(doctor.Seen("broken", "what", v.err.Error()))
	case v.login == nil:
		return doctor.Found(doctor.Seen("no-begin", "status", statusOf(v.pages)))
	case v.who == "":
		return doctor.Found(doctor.Seen("nobody", "status", statusOf(v.back)), doctor.Seen("page", "what", shown(excerpt(last(v.back).body))))
	case !x.is(v.who, v.login):
		return doctor.Found(doctor.Seen("other", "who", v.who))
	}
	return doctor.Passed()
}

var markup = regexp.MustCompile(`(?s)<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>`)

// excerpt is how a page begins, without its markup.
func excerpt(body string) string {
	words := strings.Fields(html.UnescapeString(markup.ReplaceAllString(body, " ")))
	return strings.Join(words[:min(len(words), 30)], " ")
}

func statusOf(pages []page) string { return strconv.Itoa(last(pages).status) }

// refuses is a case whose login must be refused once the relying party came that far. An
// honest login must work first: who lets nobody in refuses everything.
func (x *Examination) refuses(theme, id string, level doctor.Level, clause string, far settled, a act) doctor.Case {
	return x.guarded(theme, id, level, clause, func(ctx context.Context) doctor.Finding {
		return x.refused(x.attempt(ctx, a), far)
	})
}

// admits is a case whose login must succeed.
func (x *Examination) admits(theme, id string, level doctor.Level, clause string, a act) doctor.Case {
	return x.guarded(theme, id, level, clause, func(ctx context.Context) doctor.Finding {
		return x.admitted(x.attempt(ctx, a))
	})
}

// guarded is a case that says something only where an honest login works.
func (x *Examination) guarded(theme, id string, level doctor.Level, clause string, run func(context.Context) doctor.Finding) doctor.Case {
	return doctor.Case{ID: id, Theme: theme, Level: level, Clause: clause, Run: func(ctx context.Context) doctor.Finding {
		if !x.shape(ctx).let {
			return doctor.Unsure(doctor.Seen("honest-first"))
		}
		return run(ctx)
	}}
}
