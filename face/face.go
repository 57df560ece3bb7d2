// Package face holds what people see of the server: templates, the style sheet and
// the sentences' places in them. It has no routes and asks nobody anything: whoever
// serves a page hands it the data. Pages need no script and carry a band that says
// what this is: a test system that is not the government's, unless an operator
// names their own.
package face

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"warifu/text"
)

//go:embed templates
var templates embed.FS

// Page is what every page is given besides its own data.
type Page struct {
	Lang  text.Lang
	Title string // key of the catalogue
	Data  any
	// Refresh is after how many seconds a browser without script asks again; zero: never.
	Refresh int
	// Problem stands above the body of a page that Place made; nil: none.
	Problem *Sentences
	// Own is the operator's own name and band.
	Own Own
	// Switch are the page's addresses in other languages and calendars, Eras whether dates are
	// told by eras; Render and Show fill them.
	Switch Switches
	Eras   bool
}

// T returns the text of key in the page's language.
func (p Page) T(key string) string { return text.Sentence(key, p.Lang, nil) }

// Drawn is the named template inside the layout, for the reader of r.
func Drawn(r *http.Request, name string, p Page) ([]byte, error) {
	p = p.around(r)
	t, err := template.New("layout.html").Funcs(frameFunctions).Funcs(functions(p.Lang, p.Eras)).ParseFS(templates, "templates/frame.html", "templates/layout.html", "templates/"+name+".html")
	if err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// functions gives templates the sentences and dates of one language. t takes a key
// and pairs of parameter names and values, which are printed as they are.
func functions(lang text.Lang, eras bool) template.FuncMap {
	return template.FuncMap{
		"t":    func(key string, pairs ...any) template.HTML { return say(lang, key, pairs...) },
		"when": func(at time.Time) string { return told(at, lang, eras, true) },
		"date": func(at time.Time) string { return told(at, lang, eras, false) },
	}
}
