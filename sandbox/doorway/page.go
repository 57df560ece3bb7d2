package doorway

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"warifu"
	"warifu/face"
	"warifu/text"
)

// layout draws a page: the family's frame (package face), a notice, the body. Pages are
// parsed together with it and define "body".
const layout = `{{define "page"}}{{template "top" .Frame}}
{{with .Problem}}<div class="problem" role="alert"><p><strong>{{.Title}}</strong></p>{{with .Detail}}<p>{{.}}</p>{{end}}<p>{{.Next}}</p></div>{{end}}
{{template "body" .}}
{{template "bottom" .Frame}}{{end}}`

// Page is what a page is made of.
type Page struct {
	Lang    text.Lang
	Title   string
	Place   string // whose page it is; empty where its title says so
	Problem *Sentences
	Data    any
}

// Frame is what stands around the page.
func (p Page) Frame() face.Frame {
	return face.Frame{Lang: p.Lang, Title: p.Title, Place: p.Place, Band: p.T("face.band"), Foot: p.T("sandbox.disclaimer")}
}

// Sentences are a problem's in the reader's language.
type Sentences struct{ Title, Detail, Next string }

// T returns the text of key in the page's language.
func (p Page) T(key string) string { return text.Sentence(key, p.Lang, nil) }

// Template parses a page's body into the layout; body is a {{define "body"}} block.
func Template(body string) *template.Template {
	return template.Must(template.Must(face.Framed("page").Parse(layout)).Parse(body))
}

// Lang returns the reader's language: ?lang=, else the browser's wish.
func Lang(r *http.Request) text.Lang {
	if l, ok := text.Parse(r.URL.Query().Get("lang")); ok {
		return l
	}
	return text.Match(r.Header.Get("Accept-Language"))
}

// Show writes a page. With err it carries the problem and its status.
func Show(w http.ResponseWriter, r *http.Request, t *template.Template, titleKey string, data any, err error) {
	p := Page{Lang: Lang(r), Data: data}
	p.Title = p.T(titleKey)
	if domain, _, _ := strings.Cut(titleKey, "."); text.Has(domain + ".title") {
		p.Place = p.T(domain + ".title")
	}
	status := http.StatusOK
	if err != nil {
		e := warifu.ProblemOf(err)
		status = StatusOf(e.Code)
		title, detail, next := text.Problem(e, p.Lang)
		p.Problem = &Sentences{title, detail, next}
		if e.Code == warifu.CodeInternal {
			slog.Error("sandbox: internal error", "err", err)
		}
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "page", p); err != nil {
		slog.Error("sandbox: cannot draw a page", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}
