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
}

// Frame is what stands around the page.
func (p Page) Frame() face.Frame {
	f := face.Frame{Lang: p.Lang, Title: p.Title, Place: p.Place, Band: p.T("face.band"), Foot: p.T("sandbox.disclaimer"), Switch: p.Switch, Eras: p.Eras, Accent: p.Accent, Lost: p.Lost}
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
	return face.Twinned(template.Must(face.Framed("page").Parse(body)))
}

// Lang returns the reader's language: what they chose, else the browser's wish.
func Lang(r *http.Request) text.Lang { return face.Lang(r) }

// Show writes a page. With err it carries the problem and its status.
func Show(w http.ResponseWriter, r *http.Request, t *template.Template, titleKey string, data any, err error) {
	p := Page{Lang: Lang(r), Data: data, Switch: face.SwitchesOf(r), Eras: face.Era(r), Lost: lostOf(r)}
	p.Title = p.T(titleKey)
	if domain, _, _ := strings.Cut(titleKey, "."); text.Has(domain + ".title") {
		p.Place, p.Accent = p.T(domain+".title"), domain
	}
	status := http.StatusOK
	if err != nil {
		e := warifu.ProblemOf(err)
		status = StatusOf(e.Code)
		title, detail, next := text.Problem(e, p.Lang)
		p.Problem = &Sentences{Title: title, Detail: detail, Next: next, Field: fieldOf(e, data)}
		if e.Code == warifu.CodeInternal {
			slog.Error("sandbox: internal error", "err", err)
		}
	}
	var body bytes.Buffer
	if err := face.For(t, r).ExecuteTemplate(&body, "page", p); err != nil {
		slog.Error("sandbox: cannot draw a page", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language")
	_ = face.Write(w, r, status, body.Bytes())
}
