package persona_test

import (
	"slices"
	"strings"
	"testing"

	"warifu"
	"warifu/internal/worldtest"
	"warifu/sandbox/persona"
	"warifu/text"
)

func TestAPersonaIsReadInOneWay(t *testing.T) {
	both, auth, sig := warifu.Kinds[:], warifu.Kinds[1:], warifu.Kinds[:1]
	for name, c := range map[string]struct {
		canonical string
		kinds     []warifu.Kind
	}{
		"taro":                            {"taro", nil},
		"taro+phone":                      {"taro+phone", both},
		"taro+phone+hold":                 {"taro+hold", both},
		"taro+hold@signature":             {"taro+hold@signature", both},
		"taro+locked@authentication+hold": {"taro+hold+locked@authentication", both},
		"hanako+moved":                    {"hanako+moved", both},
		"hanako+hold+moved":               {"hanako+hold+moved", both},
		"jiro+pin2left":                   {"jiro+pin2left", both},
		"jiro+nosig+pin1left":             {"jiro+nosig+pin1left", auth},
		"jiro+noauth+password4left":       {"jiro+noauth+password4left", sig},
		"jiro+pending+nosig":              {"jiro+nosig+pending", auth},
		"taro+locked+pin1left":            {"taro+pin1left+locked", both},
		"taro+dead+card-hold":             {"taro+card-hold+dead", both},
		"taro+renewed+moved":              {"taro+moved+renewed", both},
		"taro+superseded+screenlock":      {"taro+screenlock+superseded", both},
	} {
		p, err := persona.Parse(name)
		if err != nil || p.String() != c.canonical || !slices.Equal(p.Kinds, c.kinds) {
			t.Errorf("%s is read as %s %v (%v), want %s %v", name, p, p.Kinds, err, c.canonical, c.kinds)
		}
		if again, err := persona.Parse(p.String()); err != nil || again.String() != p.String() {
			t.Errorf("%s, written again, is %s (%v)", p, again, err)
		}
	}
}

// What cannot be true together is refused with the word that is too much.
func TestContradictionsAreRefusedByTheirWord(t *testing.T) {
	for name, c := range map[string]struct{ slug, word string }{
		"":                                   {"persona-malformed", ""},
		"Taro":                               {"persona-malformed", ""},
		"taro+" + strings.Repeat("x", 300):   {"persona-malformed", ""},
		"taro+":                              {"persona-word-unknown", ""},
		"taro+asleep":                        {"persona-word-unknown", "asleep"},
		"taro+pin":                           {"persona-word-unknown", "pin"},
		"taro+hold@both":                     {"persona-word-kind", "hold@both"},
		"taro+moved@signature":               {"persona-word-kind", "moved@signature"},
		"taro+pin3left":                      {"persona-word-range", "pin3left"},
		"taro+pin0left":                      {"persona-word-range", "pin0left"},
		"taro+password5left":                 {"persona-word-range", "password5left"},
		"taro+nosig+noauth":                  {"persona-contradiction", "noauth"},
		"taro+nosig+hold@signature":          {"persona-contradiction", "hold@signature"},
		"taro+nosig+moved":                   {"persona-contradiction", "moved"},
		"taro+pending+hold":                  {"persona-contradiction", "hold"},
		"taro+hold+hold":                     {"persona-contradiction", "hold"},
		"taro+hold@signature+hold@signature": {"persona-contradiction", "hold@signature"},
		"taro+hold+repair":                   {"persona-contradiction", "repair"},
		"taro+hold+revoked":                  {"persona-contradiction", "revoked"},
		"taro+revoked+pin1left":              {"persona-contradiction", "pin1left"},
		"taro+hold+revoked@signature":        {"persona-contradiction", "revoked@signature"},
		"taro+moved+married":                 {"persona-contradiction", "married"},
		"taro+moved+locked@signature":        {"persona-contradiction", "locked@signature"},
		"taro+hold+superseded":               {"persona-contradiction", "superseded"},
		"taro+renewed+dead":                  {"persona-contradiction", "dead"},
		"taro+expired+renewed":               {"persona-contradiction", "expired"},
	} {
		_, err := persona.Parse(name)
		e := warifu.ProblemOf(err)
		if worldtest.Slug(err) != c.slug || e.Params["word"] != c.word {
			t.Errorf("%s: %v %v, want %s of %q", name, err, e.Params, c.slug, c.word)
		}
	}
}

func TestEveryWordHasASentence(t *testing.T) {
	for _, w := range persona.Words() {
		if !text.Has(persona.Key(w)) {
			t.Errorf("%s has no sentence %s", w, persona.Key(w))
		}
	}
}

// Whatever is read is written in one way, and read as the same again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"taro", "taro+hold@signature", "jiro+pin2left+nosig", "a+moved+renewed+dead", "taro+locked+pin1left"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, err := persona.Parse(name)
		if err != nil {
			if !strings.HasPrefix(worldtest.Slug(err), "persona-") {
				t.Errorf("%q: %v", name, err)
			}
			return
		}
		again, err := persona.Parse(p.String())
		if err != nil || again.String() != p.String() || !slices.Equal(again.Kinds, p.Kinds) {
			t.Errorf("%q is %s, and that is %s (%v)", name, p, again, err)
		}
		if (len(p.Kinds) == 0) != (len(p.Steps) == 0) {
			t.Errorf("%q: %+v", name, p)
		}
	})
}
