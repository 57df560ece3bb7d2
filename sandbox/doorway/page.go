package doorway

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"

	"warifu"
	"warifu/text"
)

// Layout is the frame of every plain page: one column, a heading, a notice. Pages
// are parsed together with it and define "body".
const Layout = `{{define "page"}}<!doctype html>
<html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
body{font:16px/1.7 system-ui,"Hiragino Sans","Noto Sans CJK JP",sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1c}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8d8db;vertical-align:top}
fieldset{border:1px solid #949497;border-radius:.4rem;margin:1rem 0;padding:.6rem 1rem}label{display:block;margin:.5rem 0}
input,select,button{font:inherit;padding:.35rem .6rem;max-width:100%}button{cursor:pointer}
.problem{border-left:.4rem solid #ce0000;padding:.2rem 1rem;background:#fdeeee}.done{border-left:.4rem solid #197a4b;padding:.2rem 1rem;background:#e6f5ec}
footer{margin-top:3rem;font-size:.85rem;color:#58585b}code{overflow-wrap:anywhere}
</style>
<h1>{{.Title}}</h1>
{{with .Problem}}<div class="problem" role="alert"><p><strong>{{.Title}}</strong></p>{{with .Detail}}<p>{{.}}</p>{{end}}<p>{{.Next}}</p></div>{{end}}
{{template "body" .}}
<footer>{{.T "sandbox.disclaimer"}}</footer>
</html>{{end}}`

// Page is what a page is made of.
type Page struct {
	Lang    text.Lang
	Title   string
	Problem *Sentences
	Data    any
}

// Sentences are a problem's in the reader's language.
type Sentences struct{ Title, Detail, Next string }

// T returns the text of key in the page's language.
func (p Page) T(key string) string { return text.Sentence(key, p.Lang, nil) }

// Template parses a page's body into the layout; body is a {{define "body"}} block.
func Template(body string) *template.Template {
	return template.Must(template.Must(template.New("page").Parse(Layout)).Parse(body))
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
