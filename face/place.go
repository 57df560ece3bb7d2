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
// Files of shared, named likewise, are parsed before it: what they define it may use.
//
// Execute "page" with a value that has Frame(), Problem and whatever the body uses:
// doorway.Show does it for places of the sandbox, Show for the server. A file that does not
// parse is a fault of the program and panics when it is first drawn.
func Place(name string, shared ...string) *template.Template {
	return Later(func() *template.Template {
		t := Framed("page")
		for _, kind := range []struct{ block, file, tag string }{{"styles", path.Dir(name) + ".css", "style"}, {"scripts", path.Dir(name) + ".js", "script"}} {
			if _, there := files()[kind.file]; there {
				template.Must(t.Parse(`{{define "` + kind.block + `"}}{{` + kind.tag + ` "` + kind.file + `"}}{{end}}`))
			}
		}
		for _, file := range append(shared, name) {
			template.Must(t.Parse(page(file)))
		}
		return t
	})
}

// page is the file templates/NAME.html.
func page(name string) string {
	b, err := templates.ReadFile("templates/" + name + ".html")
	if err != nil {
		panic("face: " + err.Error())
	}
	return string(b)
}

// later is a template that is parsed when it is first drawn, for each way of telling dates. A
// program has hundreds of pages, and most of its commands draw none.
type later [2]func() *template.Template

var laters sync.Map // *template.Template, which stands for it, to later

// Later returns what stands for the template that parse returns, anew at each call: For has
// the template itself.
func Later(parse func() *template.Template) *template.Template {
	t := template.New("")
	laters.Store(t, later{sync.OnceValue(parse), sync.OnceValue(func() *template.Template {
		return parse().Funcs(template.FuncMap{
			"when": func(lang text.Lang, at time.Time) string { return told(at, lang, true, true) },
			"date": func(lang text.Lang, at time.Time) string { return told(at, lang, true, false) },
		})
	})})
	return t
}

// For is the template as the reader of r wants dates told (Era).
func For(t *template.Template, r *http.Request) *template.Template {
	l, ok := laters.Load(t)
	if !ok {
		return t
	}
	if Era(r) {
		return l.(later)[1]()
	}
	return l.(later)[0]()
}

// Placed is a page of the server's that Place made, for the reader of r, with p.Title a key of
// the catalogue.
func Placed(r *http.Request, t *template.Template, p Page) ([]byte, error) {
	p = p.around(r)
	var b bytes.Buffer
	err := For(t, r).ExecuteTemplate(&b, "page", p)
	return b.Bytes(), err
}
