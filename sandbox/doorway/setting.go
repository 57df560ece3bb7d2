package doorway

import (
	"context"
	"html/template"
	"net/http"

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
