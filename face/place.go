package face

import (
	"bytes"
	"html/template"
	"net/http"
	"path"
	"sync"
	"time"

	"warifu/text"
)

// Sentences are a problem's in the reader's language. Field is the id of the field that it is
// about, to which the page leads; empty: of none.
type Sentences struct{ Title, Detail, Next, Field string }

// Dressed is what a page's data may be to say more of what stands around the page: its
// title, further styles and scripts, who is there.
type Dressed interface{ Dress(*Frame) }

// Place returns the page templates/NAME.html, where NAME is "<place>/<page>": parsed with the
// frame, the parts and the functions. The file defines "body", and may define "styles" and
// "scripts" (with {{style "x.css"}} and {{script "x.js"}}) and "width" (the classes of main).
// Where it does not, assets/<place>.css and assets/<place>.js are linked if they are there.
//
// Execute "page" with a value that has Frame(), Problem and whatever the body uses:
// doorway.Show does it for places of the sandbox, Show for the server. A file that does not
// parse is a fault of the program and panics.
func Place(name string) *template.Template {
	t := Framed("page")
	for _, kind := range []struct{ block, file, tag string }{{"styles", path.Dir(name) + ".css", "style"}, {"scripts", path.Dir(name) + ".js", "script"}} {
		if _, there := files()[kind.file]; there {
			template.Must(t.Parse(`{{define "` + kind.block + `"}}{{` + kind.tag + ` "` + kind.file + `"}}{{end}}`))
		}
	}
	b, err := templates.ReadFile("templates/" + name + ".html")
	if err != nil {
		panic("face: " + err.Error())
	}
	return Twinned(template.Must(t.Parse(string(b))))
}

// twins are templates whose dates are told by eras, by the template they were cloned from.
var twins sync.Map // *template.Template to *template.Template

// Twinned gives a parsed template, not yet executed, a twin that tells dates by eras.
func Twinned(t *template.Template) *template.Template {
	twin := template.Must(t.Clone()).Funcs(template.FuncMap{
		"when": func(lang text.Lang, at time.Time) string { return told(at, lang, true, true) },
		"date": func(lang text.Lang, at time.Time) string { return told(at, lang, true, false) },
	})
	twins.Store(t, twin)
	return t
}

// For is the template as the reader of r wants dates told (Era).
func For(t *template.Template, r *http.Request) *template.Template {
	if !Era(r) {
		return t
	}
	if twin, ok := twins.Load(t); ok {
		return twin.(*template.Template)
	}
	return t
}

// Placed is a page of the server's that Place made, for the reader of r, with p.Title a key of
// the catalogue.
func Placed(r *http.Request, t *template.Template, p Page) ([]byte, error) {
	p = p.around(r)
	var b bytes.Buffer
	err := For(t, r).ExecuteTemplate(&b, "page", p)
	return b.Bytes(), err
}
