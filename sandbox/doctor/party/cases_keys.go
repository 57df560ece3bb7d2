package party

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"warifu/sandbox/doctor"
)

// rotated signs with a new key that the provider has published: the relying party has to
// fetch the set anew, at once or within the configured time.
func (x *Examination) rotated() doctor.Case {
	return x.withFreshKey("keys-rotated", doctor.Must, "OIDC Core §10.1.1", nil)
}

// withFreshKey is an honest login under a key that nobody has fetched yet, in a set that
// keys may change.
func (x *Examination) withFreshKey(id string, level doctor.Level, clause string, keys func([]any) []any) doctor.Case {
	return x.guarded(themeHonest, id, level, clause, func(ctx context.Context) doctor.Finding {
		try := func(keys func([]any) []any) doctor.Finding {
			fresh := newKey(x.config.Client.Algorithm)
			a := x.signedBy(fresh, nil)
			a.keys = keys
			x.provider.perform(a)
			x.provider.publish(fresh)
			defer x.provider.perform(act{})
			return x.admitted(x.finish(ctx, x.begin(ctx, x.browser(), nil), a))
		}
		found := try(keys)
		if found.Outcome != doctor.Pass && x.config.KeysWait.Duration > 0 {
			select { // a client may bound how often it fetches
			case <-time.After(x.config.KeysWait.Duration):
				found = try(keys)
			case <-ctx.Done():
				return doctor.Unsure(doctor.Seen("stopped"))
			}
		}
		if found.Outcome != doctor.Pass && keys != nil && try(nil).Outcome != doctor.Pass {
			return doctor.Skip(doctor.Seen("see", "case", "keys-rotated"))
		}
		return found
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

// unknownKey is the name of a key that no set has.
const unknownKey = "unknown-to-everybody"

// keyCases forge the signature of an ID token that is otherwise honest.
func (x *Examination) keyCases() []doctor.Case {
	no := func(id string, level doctor.Level, clause string, a act) doctor.Case {
		return x.refuses(themeKeys, id, level, clause, askedToken, a)
	}
	with := func(sign func(input []byte) []byte) act {
		return act{token: func(l *login) string { return compact(x.provider.header(), x.provider.claims(l), sign) }}
	}
	honest, named, unknown := x.provider.honest, x.forger(), x.forger()
	named.id, unknown.id = honest.id, unknownKey
	return []doctor.Case{
		x.each("alg-none", "RFC 8725 §3.2; OIDC Core "+sectionSigned, x.algNone()),
		x.each("alg-hs256", "RFC 8725 §2.1, §3.1; OIDC Core "+sectionSigned, x.algHS256()),
		x.algOther(),
		no("key-other", doctor.Must, checks+" (6)", x.signedBy(named, nil)),
		no("key-unknown", doctor.Must, checks+" (6)", x.signedBy(unknown, nil)),
		x.keyTwice(),
		no("header-jwk", doctor.Must, "RFC 7515 §4.1.3, §6; RFC 8725 §3.10", x.signedBy(unknown, func(h map[string]any) {
			h["jwk"] = unknown.public()
			delete(h, "kid")
		})),
		x.headerJKU(unknown),
		no("header-crit", doctor.Should, "RFC 7515 §4.1.11", x.signedBy(honest, func(h map[string]any) {
			h["crit"], h["urn:doctor:must-understand"] = []string{"urn:doctor:must-understand"}, true
		})),
		no("signature-empty", doctor.Must, "RFC 7515 §5.2", with(func([]byte) []byte { return nil })),
		no("signature-zero", doctor.Must, "RFC 7518 §3.4; SEC 1 §4.1.4", with(func(input []byte) []byte { return make([]byte, len(honest.sign(input))) })),
		no("payload-changed", doctor.Must, "RFC 7515 §5.2", act{token: func(l *login) string {
			real, forged := x.provider.claims(l), x.provider.claims(l)
			forged["sub"] = "payload-changed"
			signed := compact(x.provider.header(), real, honest.sign)
			return part(x.provider.header()) + "." + part(forged) + signed[strings.LastIndexByte(signed, '.'):]
		}, userinfo: func(_ *login, c map[string]any) { c["sub"] = "payload-changed" }}),
	}
}

// forger makes a key that is in no set, for the algorithm that was registered.
func (x *Examination) forger() key {
	k := newKey(x.config.Client.Algorithm)
	if x.config.Client.Algorithm != "ES256" { // newKey's RSA keys are all the same
		k.signer = otherRSA()
	}
	return k
}

const sectionSigned = "§3.1.3.7 (6, 7)"

// otherRSA is a second RSA key, for relying parties that want RSA.
var otherRSA = sync.OnceValue(makeRSA)

// each is a case of several forgeries of one sort, each of which must be refused.
func (x *Examination) each(id, clause string, forgeries []forgery) doctor.Case {
	return x.guarded(themeKeys, id, doctor.Must, clause, func(ctx context.Context) doctor.Finding {
		for _, f := range forgeries {
			found := x.refused(x.attempt(ctx, f.act), askedToken)
			if found.Outcome != doctor.Pass {
				found.Notes = append(found.Notes, doctor.Seen("form", "form", f.name))
				return found
			}
		}
		return doctor.Passed()
	})
}

type forgery struct {
	name string
	act  act
}

func (x *Examination) algNone() (out []forgery) {
	for _, word := range []string{"none", "None", "NONE"} {
		out = append(out, forgery{"alg=" + word, act{token: func(l *login) string {
			return compact(map[string]any{"alg": word, "typ": "JWT"}, x.provider.claims(l), func([]byte) []byte { return nil })
		}}})
	}
	return out
}

// algHS256 takes the public key, which everybody has, for the secret of an HMAC.
func (x *Examination) algHS256() (out []forgery) {
	secrets := x.provider.honest.secrets()
	for _, form := range []string{"PEM", "DER", "JWK"} {
		out = append(out, forgery{form, act{token: func(l *login) string {
			return compact(map[string]any{"alg": "HS256", "kid": x.provider.honest.id, "typ": "JWT"}, x.provider.claims(l), byHMAC(secrets[form]))
		}}})
	}
	return out
}

// algOther is honestly signed with a published key, but in another algorithm than was registered.
func (x *Examination) algOther() doctor.Case {
	return x.guarded(themeKeys, "alg-other", doctor.Should, "OIDC Core §3.1.3.7 (7); RFC 8725 §3.1", func(ctx context.Context) doctor.Finding {
		other := newKey("ES384")
		a := x.signedBy(other, nil)
		x.provider.perform(a)
		x.provider.publish(other)
		defer x.provider.perform(act{})
		return x.refused(x.finish(ctx, x.begin(ctx, x.browser(), nil), a), askedToken)
	})
}

// keyTwice has two keys of one name in the set, and the ID token signed by a third of that
// name.
func (x *Examination) keyTwice() doctor.Case {
	return x.guarded(themeKeys, "key-twice", doctor.Must, "RFC 7517 §4.5; RFC 7515 §6", func(ctx context.Context) doctor.Finding {
		one, two, three := newKey(x.config.Client.Algorithm), newKey("ES256"), x.forger()
		two.id, three.id = one.id, one.id
		a := x.signedBy(three, nil)
		x.provider.perform(a)
		x.provider.publish(one)
		x.provider.publish(two)
		defer x.provider.perform(act{})
		return x.refused(x.finish(ctx, x.begin(ctx, x.browser(), nil), a), askedToken)
	})
}

// headerJKU names an address of the forger's where the key would be. It must not be asked.
func (x *Examination) headerJKU(k key) doctor.Case {
	return x.guarded(themeKeys, "header-jku", doctor.Must, "RFC 7515 §4.1.2; RFC 8725 §3.10", func(ctx context.Context) doctor.Finding {
		const path = "/doctor/forged-keys"
		a := x.signedBy(k, func(h map[string]any) { h["jku"] = x.config.Issuer + path })
		a.serve = func(w http.ResponseWriter, _ *http.Request, at string) bool {
			if at != path {
				return false
			}
			writeJSON(w, http.StatusOK, map[string]any{"keys": []any{k.public()}})
			return true
		}
		before := x.provider.count(path)
		found := x.refused(x.attempt(ctx, a), askedToken)
		if found.Outcome == doctor.Pass && x.provider.count(path) > before {
			return doctor.Found(doctor.Seen("fetched", "address", x.config.Issuer+path))
		}
		return found
	})
}
