package web

import (
	"net/http"
	"strings"

	"warifu"
	"warifu/face"
	"warifu/handbook"
)

type docsView struct {
	Contents []handbook.Audience
	Query    string
	Hits     []handbook.Hit
}

var docsHome, docsPage = face.Place("docs/home"), face.Place("docs/page")

// docs serves the documentation: its table of contents with the search, its pages, and the
// examples that pages lead to, as they are.
func (s *site) docs(mux *http.ServeMux) {
	mux.HandleFunc("GET /docs", s.docsHome)
	mux.HandleFunc("GET /docs/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, handbook.Prefix, http.StatusMovedPermanently)
	})
	mux.HandleFunc("GET /docs/{path...}", s.docsPage)
}

func (s *site) docsHome(w http.ResponseWriter, r *http.Request) {
	book, err := handbook.Embedded()
	if err != nil {
		s.problemPage(w, r, err)
		return
	}
	lang := languageOf(r.Context())
	v := docsView{Contents: book.Contents(lang), Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	if q := []rune(v.Query); len(q) > handbook.MaxQuery {
		v.Query = string(q[:handbook.MaxQuery])
	}
	v.Hits = book.Search(v.Query, lang)
	s.draw(w, r, docsHome, "documentation.title", v, nil)
}

func (s *site) docsPage(w http.ResponseWriter, r *http.Request) {
	book, err := handbook.Embedded()
	if err != nil {
		s.problemPage(w, r, err)
		return
	}
	lang, path := languageOf(r.Context()), r.PathValue("path")
	if p, ok := book.Page(strings.TrimSuffix(path, ".md"), lang); ok {
		title := p.Title
		if p.Foreign {
			title, _ = book.Title(p.Slug, lang)
		}
		s.draw(w, r, docsPage, title, p, nil) // a title is no key, and is shown as it is
		return
	}
	file, ok := book.File(path)
	if !ok {
		s.problemPage(w, r, warifu.NotFound("page-unknown"))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := w.Write(file); err != nil {
		s.Log.DebugContext(r.Context(), "docs", "error", err.Error())
	}
}
