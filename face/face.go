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
	"io/fs"
	"net/http"
	"strings"
	"time"

	"warifu/text"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed assets
var assets embed.FS

// Page is what every page is given besides its own data.
type Page struct {
	Lang  text.Lang
	Title string // key of the catalogue
	Data  any
	// Refresh is after how many seconds a browser without script asks again; zero: never.
	Refresh int
}

// Assets serves the embedded files under /assets/.
func Assets() http.Handler {
	sub, err := fs.Sub(assets, "assets")
	if err != nil {
		return http.NotFoundHandler()
	}
	files := http.StripPrefix("/assets/", http.FileServerFS(sub))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r) // a folder does not list itself
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		files.ServeHTTP(w, r)
	})
}

// Render writes the named template inside the layout. The page is made in memory
// first, so that a template's error is an error and not half a page: then nothing was
// written yet, and the caller may answer otherwise.
func Render(w http.ResponseWriter, status int, name string, p Page) (written bool, err error) {
	t, err := template.New("layout.html").Funcs(frameFunctions).Funcs(functions(p.Lang)).ParseFS(templates, "templates/frame.html", "templates/layout.html", "templates/"+name+".html")
	if err != nil {
		return false, fmt.Errorf("page %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return false, fmt.Errorf("page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(b.Bytes())
	return true, err
}

// functions gives templates the sentences and dates of one language. t takes a key
// and pairs of parameter names and values, which are printed as they are.
func functions(lang text.Lang) template.FuncMap {
	return template.FuncMap{
		"t":    func(key string, pairs ...any) string { return say(lang, key, pairs...) },
		"when": func(at time.Time) string { return When(at, lang) },
		"date": func(at time.Time) string { return Date(at, lang) },
	}
}

// tokyo is the zone in which the service's hours are told.
var tokyo = time.FixedZone("JST", 9*60*60)

// When writes an instant for people, in Japan's time.
func When(at time.Time, lang text.Lang) string {
	if at.IsZero() {
		return "—"
	}
	if lang == text.English {
		return at.In(tokyo).Format("2 January 2006, 15:04 JST")
	}
	return at.In(tokyo).Format("2006年1月2日 15時04分")
}

// Date writes a day for people.
func Date(at time.Time, lang text.Lang) string {
	if at.IsZero() {
		return "—"
	}
	if lang == text.English {
		return at.In(tokyo).Format("2 January 2006")
	}
	return at.In(tokyo).Format("2006年1月2日")
}
