package party

import (
	"context"
	"time"

	"warifu/sandbox/doctor"
)

// demandCases answer with less than the relying party asks for.
func (x *Examination) demandCases() []doctor.Case {
	d := x.config.Demands
	wanted := func(there bool, field string, c doctor.Case) doctor.Case {
		if !there {
			c.Run = func(context.Context) doctor.Finding { return doctor.Skip(doctor.Seen("unset", "field", field)) }
		}
		return c
	}
	no := func(id, clause string, a act) doctor.Case {
		return x.refuses(themeDemands, id, doctor.Must, clause, askedToken, a)
	}
	const acrClause, timeClause, classClause = "OIDC Core §3.1.3.7 (12)", "OIDC Core §3.1.3.7 (13), §3.1.2.1", "docs/relying-party.md; OIDC Core §3.1.3.7 (12)"
	other := map[string]string{"card": "phone", "phone": "card"}[d.Class]
	return []doctor.Case{
		wanted(len(d.ACR) > 0, "demands.acr", no("acr-lower", acrClause, claim("acr", "aal1"))),
		wanted(len(d.ACR) > 0, "demands.acr", no("acr-missing", acrClause, claim("acr", nil))),
		wanted(d.MaxAge.Duration > 0, "demands.max_age", no("auth-time-old", timeClause, act{claims: func(_ *login, c map[string]any) {
			c["auth_time"] = x.clock.Now().Add(-d.MaxAge.Duration - time.Hour).Unix()
		}})),
		wanted(d.MaxAge.Duration > 0, "demands.max_age", no("auth-time-missing", timeClause, claim("auth_time", nil))),
		wanted(d.Class != "", "demands.class", no("class-other", classClause, claim("warifu_class", other))),
		wanted(d.Class != "", "demands.class", no("class-missing", classClause, claim("warifu_class", nil))),
	}
}
