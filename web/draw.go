package web

import (
	"html/template"
	"net/http"

	"warifu"
	"warifu/face"
)

// draw writes a page of a place of the server's, with the problem and its status where there
// is one. title is a key of the catalogue.
func (s *site) draw(w http.ResponseWriter, r *http.Request, t *template.Template, title string, data any, err error) {
	sentences, status := problemSentences(r, err)
	written, err := face.Show(w, r, status, t, face.Page{Lang: languageOf(r.Context()), Title: title, Data: data, Problem: sentences})
	if err == nil {
		return
	}
	s.Log.ErrorContext(r.Context(), "page", "name", title, "error", err.Error())
	if !written {
		writeProblem(w, r, &warifu.Error{Code: warifu.CodeInternal, Problem: "internal"})
	}
}
