package face

import (
	"fmt"
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
	// Refresh is after how many seconds a browser without script asks again, for a page that
	// waits; zero: never.
	Refresh int
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
	"icon":     icon, "state": state, "secret": secret, "steps": steps, "code": code,
	"when": func(lang text.Lang, at time.Time) string { return When(at, lang) },
	"date": func(lang text.Lang, at time.Time) string { return Date(at, lang) },
}

// say is a sentence with pairs of parameter names and values, which are printed as they are.
func say(lang text.Lang, key string, pairs ...any) string {
	params := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[fmt.Sprint(pairs[i])] = fmt.Sprint(pairs[i+1])
	}
	return text.Sentence(key, lang, params)
}

// Frame is the frame of a page of the server's.
func (p Page) Frame() Frame {
	return Frame{Lang: p.Lang, Title: text.Sentence(p.Title, p.Lang, nil), Band: text.Sentence("face.band", p.Lang, nil), Refresh: p.Refresh}
}
