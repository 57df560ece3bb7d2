package face

import (
	"html/template"
	"time"

	"warifu/text"
)

// Frame is what stands around every page of every place: band, mark, language, heading
// and foot. The templates "top" and "bottom" draw it (Framed).
type Frame struct {
	Lang  text.Lang
	Title string // of the page, in the reader's language
	Place string // whose page it is: "見本銀行"; empty on the server itself
	Band  string // what this is: a test system that is not the government's
	Foot  string // a last sentence; may be empty
	Name  string // beside the mark; empty: 割符 Warifu
	// Styles and Scripts are further files under /assets that the page links, by name.
	Styles, Scripts []string
	// Switch are the page's addresses in other languages and calendars; the zero value leads
	// to the page's own path.
	Switch Switches
	Eras   bool // dates are told by eras
	// Accent is whose colours the page has, of the family's: "bank"; empty: the house's own.
	Accent string
	// Lost is where a person goes whose phone is lost, without a login (R76); empty: no link.
	Lost string
	// Refresh is after how many seconds a browser without script asks again, for a page that
	// waits; zero: never.
	Refresh int
	// Guide leads a person who is on a walk through places; nil for everybody else.
	Guide *Guide
}

// Framed returns the templates "top" and "bottom" with the functions they use, for a place
// that draws pages of its own in the same frame. Each call returns a new set.
func Framed(name string) *template.Template {
	return template.Must(template.New(name).Funcs(frameFunctions).ParseFS(templates, "templates/frame.html"))
}

// frameFunctions: sentence takes the language because one parsed set serves both.
var frameFunctions = template.FuncMap{
	"sentence": func(lang text.Lang, key string) string { return text.Sentence(key, lang, nil) },
	"say":      say,
	"style":    style, "script": script, "asset": address,
	"named": named, "foreign": foreign,
	"icon": icon, "state": state, "secret": secret, "steps": steps, "code": code,
	"guide": guide, "locked": locked, "unlocks": unlocks, "newsecret": newSecret, "maybe": maybe, "gestures": gestures,
	"when": func(lang text.Lang, at time.Time) string { return When(at, lang) },
	"date": func(lang text.Lang, at time.Time) string { return Date(at, lang) },
}

// Frame is the frame of a page of the server's.
func (p Page) Frame() Frame {
	f := Frame{Lang: p.Lang, Title: p.T(p.Title), Band: p.Own.Band, Name: p.Own.Name, Refresh: p.Refresh, Switch: p.Switch, Eras: p.Eras, Lost: "/lost"}
	if f.Band == "" {
		f.Band = p.T("face.band")
	}
	if d, ok := p.Data.(Dressed); ok {
		d.Dress(&f)
	}
	return f
}

// Mark is the name beside the mark.
func (f Frame) Mark() template.HTML {
	if f.Name != "" {
		return named(f.Lang, f.Name)
	}
	if f.Lang == text.English {
		return `<span lang="ja">割符</span> Warifu`
	}
	return "割符 Warifu"
}

// TitleLang is the language of a title that is not in the page's: a document's of which there
// is no translation.
func (f Frame) TitleLang() text.Lang {
	if f.Lang == text.Japanese && isForeign(f.Lang, f.Title) {
		return text.English
	}
	return ""
}

// Whose is whose page it is, for the window's title.
func (f Frame) Whose() string {
	switch {
	case f.Place != "":
		return f.Place
	case f.Name != "":
		return f.Name
	case f.Lang == text.English:
		return "Warifu"
	}
	return "割符 Warifu"
}
