package doorway

import (
	"context"
	"html/template"
	"maps"
	"net/http"
	"strings"

	"golang.org/x/text/unicode/norm"

	"warifu"
	"warifu/text"
)

type settingKey struct{}

// Setting gives every page below next the address at which a person says that their phone is
// lost (R76): two taps from wherever they are, and without a login.
func Setting(next http.Handler, lost string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), settingKey{}, lost)))
	})
}

// lostOf is the address that Setting gave; empty where nobody did.
func lostOf(r *http.Request) string {
	lost, _ := r.Context().Value(settingKey{}).(string)
	return lost
}

// Field gives an input its id, by which a problem leads to it, and says where it is wrong.
func (p Page) Field(name string) template.HTMLAttr {
	attributes := `id="` + template.HTMLEscapeString(name) + `"`
	if p.Problem != nil && p.Problem.Field == name {
		attributes += ` aria-invalid="true"`
	}
	return template.HTMLAttr(attributes)
}

// Say is a sentence with pairs of parameter names and values.
func (p Page) Say(key string, pairs ...string) string {
	params := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	return text.Sentence(key, p.Lang, params)
}

// Blaming is what a page's data may be to say which of its fields a problem is about, where
// the problem does not name it itself.
type Blaming interface {
	Blames(problem string) (field string)
}

func fieldOf(e *warifu.Error, data any) string {
	if field := e.Params["field"]; field != "" {
		return field
	}
	if b, ok := data.(Blaming); ok {
		return b.Blames(e.Problem)
	}
	return ""
}

// labels are fields that a page calls otherwise than the interface does.
var labels = map[string][]string{"birthDate": {"birth"}, "title": {"what", "phone"}}

// labelled is e for people: a field that it names is called what the place's page calls it.
func labelled(e *warifu.Error, place string, lang text.Lang) *warifu.Error {
	field := e.Params["field"]
	if field == "" || place == "" {
		return e
	}
	called := func(name string) *warifu.Error {
		named := *e
		named.Params = maps.Clone(e.Params)
		named.Params["field"] = name
		return &named
	}
	if name := e.Params[string(lang)]; name != "" {
		return called(name) // the problem has its names with it
	}
	for _, name := range append([]string{field}, labels[field]...) {
		if key := place + "." + name; text.Has(key) {
			return called(text.Sentence(key, lang, nil))
		}
	}
	return e
}

// Plain is what a person typed into a field for a number, as a program reads it: full-width
// digits are digits, and what people put between them is left out.
func Plain(typed string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', ',', '、', '円':
			return -1
		}
		return r
	}, norm.NFKC.String(typed))
}
