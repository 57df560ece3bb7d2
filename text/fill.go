package text

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var braces = regexp.MustCompile(`\{([a-zA-Z][a-zA-Z0-9]*)\}`)

const (
	// unfilled stands where a sentence that must be said lacks a parameter.
	unfilled = "—"
	// maxParam bounds what a parameter may bring into a sentence, in characters.
	maxParam = 200
)

// Params returns the names in braces in s, sorted, each once.
func Params(s string) []string {
	var names []string
	for _, m := range braces.FindAllStringSubmatch(s, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fill replaces every {name} once (a value's own braces stay as they are, they are not
// looked up again) and reports whether all were given. Missing ones become a dash. A
// value that is a word of the house is said in the reader's language: {kind} with
// the value "signature" becomes the text of "word.kind.signature", and {secret} that of
// "word.secret.signature".
func (c *Catalogue) fill(s string, lang Lang, params map[string]string) (string, bool) {
	whole := true
	out := braces.ReplaceAllStringFunc(s, func(m string) string {
		name := m[1 : len(m)-1]
		v, ok := params[name]
		if name == "secret" && !ok { // a secret is called by its kind, as its owner knows it
			v, ok = params["kind"]
		}
		if word, known := c.entries["word."+name+"."+strings.ToLower(v)]; known { // fields are written birthDate
			return word["text"][lang]
		}
		if !ok || v == "" {
			whole = false
			return unfilled
		}
		return Tame(v)
	})
	return out, whole
}

// Tame keeps a parameter inside its sentence: one line, no control or direction-changing
// characters, a bounded length.
func Tame(v string) string {
	v = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, v)
	if runes := []rune(v); len(runes) > maxParam {
		return string(runes[:maxParam]) + "…"
	}
	return v
}

func checkBraces(s string) error {
	if strings.ContainsAny(braces.ReplaceAllString(s, ""), "{}") {
		return errors.New("a brace that is not {name}")
	}
	return nil
}
