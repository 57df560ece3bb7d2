package web

import (
	"html/template"
	"net/http"

	"warifu"
	"warifu/face"
	"warifu/text"
)

// draw writes a page of a place of the server's, with the problem and its status where there
// is one. title is a key of the catalogue.
func (s *site) draw(w http.ResponseWriter, r *http.Request, t *template.Template, title string, data any, err error) {
	_, status := problemSentences(languageOf(r.Context()), err)
	s.write(w, r, status, title, func(r *http.Request) ([]byte, error) {
		lang := readersLanguage(r)
		sentences, _ := problemSentences(lang, err)
		return face.Placed(r, t, face.Page{Lang: lang, Title: title, Data: data, Problem: sentences})
	})
}

// write writes the page that draw makes of a request, in the language that the request asks
// for; name is the log's.
func (s *site) write(w http.ResponseWriter, r *http.Request, status int, name string, draw func(*http.Request) ([]byte, error)) {
	written, err := face.Draw(w, r, status, draw)
	if err == nil {
		return
	}
	s.Log.ErrorContext(r.Context(), "page", "name", name, "error", err.Error())
	if !written {
		writeProblem(w, r, &warifu.Error{Code: warifu.CodeInternal, Problem: "internal"})
	}
}

// spoken is a page's data that has sentences in it already, and can say them in a language.
type spoken interface{ in(text.Lang) any }

// readersLanguage is the language that a page is drawn in: the one asked for, else what was found for
// the request.
func readersLanguage(r *http.Request) text.Lang {
	if lang, chosen := face.Chosen(r); chosen {
		return lang
	}
	return languageOf(r.Context())
}
