package phones

import (
	"bytes"
	"html/template"
	"net/http"

	"warifu"
	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
	"warifu/text"
)

// screen is one screen of a phone as its template sees it. Handlers fill it and Show draws it.
type screen struct {
	face.PhoneFrame
	Problem *doorway.Sentences
	Said    string // a sentence about what was done on the way here; may be empty
	Data    any
}

// Frame is what stands around the screen.
func (s screen) Frame() face.PhoneFrame { return s.PhoneFrame }

// T returns the text of key in the reader's language.
func (s screen) T(key string) string { return text.Sentence(key, s.Lang, nil) }

// look says what of the frame differs from screen to screen. Title is a key of the catalogue.
type look struct {
	Title, Tab, Back string
	Refresh          int
	Waits            bool
	Said             string // key of a sentence about what was done; "" for none
}

// frame is the frame of a screen of phone h; nil: no phone is in hand.
func (p *Phones) frame(r *http.Request, h *handset.Handset, l look) face.PhoneFrame {
	lang := doorway.Lang(r)
	f := face.PhoneFrame{
		Lang: lang, Title: text.Sentence(l.Title, lang, nil), Band: text.Sentence("face.band", lang, nil), Now: p.config.Clock.Now(),
		Tab: l.Tab, Back: l.Back, Lost: p.config.Server.Origin() + "/lost", Manual: p.config.Server.Origin() + "/docs/holders", Refresh: l.Refresh, Waits: l.Waits, Switch: face.SwitchesOf(r), Eras: face.Era(r),
		Guide: doorway.GuideOf(r),
	}
	if h != nil {
		f.Phone, f.Name = h.ID, p.modelName(h.Model)
	}
	return f
}

// modelName is what a model is sold as; its identifier where the shop does not know it.
func (p *Phones) modelName(id string) string {
	if p.config.Model != nil {
		if m, err := p.config.Model(id); err == nil {
			return m.Name()
		}
	}
	return id
}

// show draws a screen. With err it carries the problem and its status.
func (p *Phones) show(w http.ResponseWriter, r *http.Request, t *template.Template, h *handset.Handset, l look, data any, err error) {
	doorway.Draw(w, r, err, func(r *http.Request, told *doorway.Sentences) ([]byte, error) {
		s := screen{PhoneFrame: p.frame(r, h, l), Data: data, Problem: told}
		if l.Said != "" {
			s.Said = s.T(l.Said)
		}
		var body bytes.Buffer
		err := face.For(t, r).ExecuteTemplate(&body, "page", s)
		return body.Bytes(), err
	})
}

// inHand finds the phone that the path names for a screen's handler; a phone that there is
// not leads to the chooser, which says so.
func (p *Phones) inHand(f func(http.ResponseWriter, *http.Request, *owned)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
		o, err := p.find(r.PathValue("id"))
		if err != nil {
			p.chooser(w, r, err)
			return
		}
		if r.Method == http.MethodPost && r.ParseForm() != nil {
			p.home(w, r, o, warifu.Invalid("sandbox-request-malformed"))
			return
		}
		if e, busy := o.hand.progress(); busy && r.Method == http.MethodGet {
			p.showProgress(w, r, o, e) // the chip is in use: what there is to see comes when it is free
			return
		}
		f(w, r, o)
	}
}

// leadTo leads on after a form, so that loading again repeats nothing.
func leadTo(w http.ResponseWriter, r *http.Request, o *owned, path string) {
	http.Redirect(w, r, "/phones/"+o.handset.ID+path, http.StatusSeeOther)
}
