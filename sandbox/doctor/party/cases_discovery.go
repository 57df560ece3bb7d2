package party

import (
	"context"
	"net/http"

	"warifu/sandbox/doctor"
)

// discoveryCases change the document that a relying party reads at its start, or at a login.
func (x *Examination) discoveryCases() []doctor.Case {
	return []doctor.Case{
		x.rediscovered("discovery-issuer", "OIDC Discovery §4.3; RFC 8414 §3.3", act{discovery: func(d map[string]any) {
			d["issuer"] = "https://attacker.doctor.invalid/realms/main"
		}}),
		x.rediscovered("discovery-down", "RFC 6749 §5.2; docs/doctor.md", x.serving(pathKnown, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		})),
	}
}

// rediscovered has the relying party read the document anew while the act is played: nobody
// may be logged in, and no page may show the program's inside. A relying party that then
// does not start is as good.
func (x *Examination) rediscovered(id, clause string, a act) doctor.Case {
	return x.guarded(themeOutage, id, doctor.Must, clause, func(ctx context.Context) doctor.Finding {
		anew := x.Restart != nil
		if !anew && !x.shape(ctx).discovers {
			return doctor.Skip(doctor.Seen("unset", "field", "run"))
		}
		x.provider.perform(a)
		before := x.provider.count(pathKnown)
		if anew {
			_ = x.Restart(ctx) // one that does not come up lets nobody in
		}
		v := x.finish(ctx, x.begin(ctx, x.browser(), nil), a)
		asked := x.provider.count(pathKnown) > before
		x.provider.perform(act{})
		if anew {
			if err := x.Restart(ctx); err != nil {
				return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
			}
			if err := x.Reach(ctx); err != nil {
				return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
			}
		}
		switch {
		case v.who != "":
			return doctor.Found(doctor.Seen("let-in", "who", v.who))
		case !asked:
			return doctor.Unsure(doctor.Seen("not-asked", "path", pathKnown))
		}
		return traceless(append(v.pages, v.back...))
	})
}
