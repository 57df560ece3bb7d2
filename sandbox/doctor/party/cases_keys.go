package party

import (
	"context"
	"time"

	"warifu/sandbox/doctor"
)

// rotated signs with a new key that the provider has published: the relying party has to
// fetch the set anew, at once or within the configured time.
func (x *Examination) rotated() doctor.Case {
	return x.guarded(themeHonest, "keys-rotated", doctor.Must, "OIDC Core §10.1.1", func(ctx context.Context) doctor.Finding {
		fresh := newKey(x.config.Client.Algorithm)
		a := x.signedBy(fresh, nil)
		try := func() doctor.Finding {
			x.provider.perform(a)
			x.provider.publish(fresh)
			defer x.provider.perform(act{})
			return x.admitted(x.finish(ctx, x.begin(ctx, x.browser(), nil), a))
		}
		found := try()
		if found.Outcome == doctor.Pass || x.config.KeysWait.Duration == 0 {
			return found
		}
		select { // a client may bound how often it fetches
		case <-time.After(x.config.KeysWait.Duration):
			return try()
		case <-ctx.Done():
			return doctor.Unsure(doctor.Seen("stopped"))
		}
	})
}

// signedBy is an act that signs an honest ID token with another key; header may change more.
func (x *Examination) signedBy(k key, header func(map[string]any)) act {
	return act{token: func(l *login) string {
		h := map[string]any{"alg": k.algorithm, "kid": k.id, "typ": "JWT"}
		if header != nil {
			header(h)
		}
		return compact(h, x.provider.claims(l), k.sign)
	}}
}
