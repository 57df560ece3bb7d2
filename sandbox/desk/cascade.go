package desk

import (
	"maps"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/registration"
	"warifu/text"
)

// CascadeLines draws trees of causes as lines for people, each as deep as it lies in its
// tree, the times in Tokyo's or the machine's zone as they come.
func CascadeLines(trees []registration.Cause, lang text.Lang) []string {
	var out []string
	var draw func(c registration.Cause, depth int)
	draw = func(c registration.Cause, depth int) {
		out = append(out, strings.Repeat("  ", depth)+causeLine(c, lang))
		for _, e := range c.Effects {
			draw(e, depth+1)
		}
	}
	for _, tree := range trees {
		draw(tree, 0)
	}
	return out
}

// causeLine is one line of the audit trail: when, who, what, of what, why.
func causeLine(c registration.Cause, lang text.Lang) string {
	verb := string(c.Verb)
	if key := "desk.verb-" + verb; text.Has(key) {
		verb = text.Sentence(key, lang, nil)
	}
	parts := []string{c.At.UTC().Format(time.RFC3339), verb, c.Subject}
	var details []string
	for k, v := range c.Detail {
		details = append(details, k+"="+v)
	}
	slices.Sort(details)
	if c.Rule != "" {
		details = append(details, c.Rule)
	}
	if len(details) > 0 {
		parts = append(parts, "("+strings.Join(details, ", ")+")")
	}
	return strings.Join(append(parts, "["+c.Actor+"]"), " ")
}

// branch is one line of a cascade as a page draws it, with what followed from it.
type branch struct {
	At               time.Time
	Clock            string // the same, to the second
	Verb, Icon, Tone string
	What, Why        string
	Effects          []branch
}

// looks are picture and colour of what is done.
var looks = map[warifu.Verb][2]string{
	warifu.VerbSuspend: {"held", "care"}, "hold": {"held", "care"}, warifu.VerbResume: {"good", "good"}, "lift": {"good", "good"},
	warifu.VerbRevoke: {"ended", "bad"}, warifu.VerbExpire: {"ended", "bad"}, warifu.VerbReject: {"ended", "bad"}, warifu.VerbWithdraw: {"ended", ""},
}

// branches are trees of causes in words; names are those of the credentials, by identifier.
func branches(trees []registration.Cause, names map[string]string, zone *time.Location, lang text.Lang) []branch {
	var out []branch
	for _, c := range trees {
		b := branch{At: c.At, Clock: c.At.In(zone).Format("15:04:05"), Verb: string(c.Verb), Icon: "info", What: c.Subject}
		if key := "desk.verb-" + b.Verb; text.Has(key) {
			b.Verb = text.Sentence(key, lang, nil)
		}
		if look, ok := looks[c.Verb]; ok {
			b.Icon, b.Tone = look[0], look[1]
		}
		switch name := names[c.Subject]; {
		case name != "":
			b.What = name
		case strings.HasPrefix(c.Subject, "card-event-"):
			b.What = text.Sentence("desk.cascade-told", lang, nil)
		}
		for _, k := range slices.Sorted(maps.Keys(c.Detail)) {
			if key := "desk.why-" + c.Detail[k]; text.Has(key) {
				b.Why = text.Sentence(key, lang, nil)
			}
		}
		b.Effects = branches(c.Effects, names, zone, lang)
		out = append(out, b)
	}
	return out
}

// namesOf are the credentials and applications of a person in words, by identifier.
func namesOf(s Standing, lang text.Lang) map[string]string {
	out := map[string]string{}
	for _, c := range s.Credentials {
		out[c.ID] = text.Sentence("desk.on-phone-"+c.Kind.String(), lang, nil) + " " + c.Phone
	}
	for _, a := range s.Applications {
		out[a.ID] = text.Sentence("desk.application", lang, nil) + " " + a.Phone
	}
	return out
}
