package web

import (
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"warifu"
	"warifu/face"
	"warifu/handbook"
	"warifu/text"
)

type docsView struct {
	Contents   []handbook.Audience
	Query      string
	Hits       []handbook.Hit
	Operations []operation // of the interface, that the search found
}

// pageView is a page with the way to those beside it.
type pageView struct {
	handbook.Page
	handbook.Way
	Other text.Lang // the page's other half; empty: there is none
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

// sandboxed finds addresses of a demo on its own ports: 8400 the server, 8401 and on the places.
var sandboxed = regexp.MustCompile(`http://127\.0\.0\.1:84([0-9][0-9])`)

// here turns the addresses of a demo on its own ports into those of this one, so that links lead and
// examples can be typed as they stand. A server that is no demo is meant by 8400 alone.
func (s *site) here(body template.HTML) template.HTML {
	origin, err := url.Parse(s.Origin)
	if err != nil {
		return body
	}
	port, err := strconv.Atoi(origin.Port())
	demo := err == nil && origin.Scheme == "http" && origin.Hostname() == "127.0.0.1"
	return template.HTML(sandboxed.ReplaceAllStringFunc(string(body), func(address string) string {
		n, _ := strconv.Atoi(address[len(address)-2:])
		switch {
		case n == 0:
			return template.HTMLEscapeString(s.Origin)
		case demo:
			return "http://127.0.0.1:" + strconv.Itoa(port+n)
		}
		return address
	}))
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
	if v.Query != "" {
		for _, o := range s.operations() {
			if handbook.Has(v.Query, o.Method+" "+o.Path+" "+o.ID+" "+o.Summary) {
				v.Operations = append(v.Operations, o)
			}
		}
	}
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
		v := pageView{Page: p, Way: book.Way(p.Slug, lang)}
		v.Other, _ = book.Other(p)
		v.Body = s.here(p.Body)
		s.draw(w, r, docsPage, title, v, nil) // a title is no key, and is shown as it is
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
