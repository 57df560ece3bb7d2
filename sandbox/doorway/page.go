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

// Page is what a page is made of.
type Page struct {
	Lang    text.Lang
	Title   string
	Place   string // whose page it is; empty where its title says so
	Problem *Sentences
	Data    any
	Switch  face.Switches // its addresses in other languages and calendars
	Eras    bool          // dates are told by eras
	Accent  string        // whose colours it has, of the family's
	Lost    string        // where a person goes whose phone is lost
	Guide   *face.Guide   // for who is on the guided walk
}

// Frame is what stands around the page.
func (p Page) Frame() face.Frame {
	f := face.Frame{Lang: p.Lang, Title: p.Title, Place: p.Place, Band: p.T("face.band"), Foot: p.T("sandbox.disclaimer"), Switch: p.Switch, Eras: p.Eras, Accent: p.Accent, Lost: p.Lost, Guide: p.Guide}
	if d, ok := p.Data.(face.Dressed); ok {
		d.Dress(&f)
	}
	return f
}

// Sentences are a problem's in the reader's language.
type Sentences = face.Sentences

// T returns the text of key in the page's language.
func (p Page) T(key string) string { return text.Sentence(key, p.Lang, nil) }

// Template parses a page's body into the family's frame; body is a {{define "body"}} block.
// Pages that stand in a file of package face come from face.Place.
func Template(body string) *template.Template {
	return face.Later(func() *template.Template { return template.Must(face.Framed("page").Parse(body)) })
}

// Lang returns the reader's language: what they chose, else the browser's wish.
func Lang(r *http.Request) text.Lang { return face.Lang(r) }

// Show writes a page. With err it carries the problem and its status.
func Show(w http.ResponseWriter, r *http.Request, t *template.Template, titleKey string, data any, err error) {
	Draw(w, r, err, func(r *http.Request, told *Sentences) ([]byte, error) {
		p := Page{Lang: Lang(r), Data: data, Problem: told, Switch: face.SwitchesOf(r), Eras: face.Era(r), Lost: lostOf(r), Guide: GuideOf(r)}
		p.Title = p.T(titleKey)
		if domain, _, _ := strings.Cut(titleKey, "."); text.Has(domain + ".title") {
			p.Place, p.Accent = p.T(domain+".title"), domain
		}
		if told != nil {
			e := warifu.ProblemOf(err)
			told.Field = fieldOf(e, data)
			told.Title, told.Detail, told.Next = text.Problem(labelled(e, p.Accent, p.Lang), p.Lang)
		}
		var body bytes.Buffer
		err := face.For(t, r).ExecuteTemplate(&body, "page", p)
		return body.Bytes(), err
	})
}

// Draw writes the page that draw makes of a request. With err it is given the problem in the
// reader's language, and the page has its status. What a form was answered with is drawn in each
// language, for whoever changes it (face.Draw).
func Draw(w http.ResponseWriter, r *http.Request, err error, draw func(r *http.Request, told *Sentences) ([]byte, error)) {
	status := http.StatusOK
	e := warifu.ProblemOf(err)
	if err != nil {
		status = StatusOf(e.Code)
		if e.Code == warifu.CodeInternal {
			slog.Error("sandbox: internal error", "err", err)
		}
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language")
	written, fault := face.Draw(w, r, status, func(r *http.Request) ([]byte, error) {
		var told *Sentences
		if err != nil {
			told = &Sentences{}
			told.Title, told.Detail, told.Next = text.Problem(e, Lang(r))
		}
		return draw(r, told)
	})
	if fault == nil {
		return
	}
	slog.Error("sandbox: cannot draw a page", "err", fault)
	if !written {
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}
