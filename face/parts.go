package face

import (
	"bytes"
	"html/template"
	"strconv"

	"warifu/text"
)

// parts are what pages of every place are put together from. They are drawn by functions
// that any framed template may call:
//
//	{{icon "card"}}                                      a picture that says nothing by itself
//	{{state .Lang "held"}}                               a credential's state: picture, word, colour
//	{{secret .Lang "phone" "authentication" "pin" 3}}    where a secret is typed (R28); -1 tries: not known
//	{{steps .Lang 3 11}}                                 how far a person has come
//	{{when .Lang .At}} {{date .Lang .At}}                an instant, a day, in Japan's time
//	{{say .Lang "key" "name" .Value}}                    a sentence of the catalogue
//	{{named .Lang .Name}}                                a name as it is, whatever the page's language
//	<option {{foreign .Lang .Name}}>{{.Name}}</option>   the same where no element may stand
var parts = template.Must(template.New("parts").ParseFS(templates, "templates/parts.html"))

// draw executes a part. A part that fails is a fault of the program, and shows as nothing.
func draw(name string, data any) template.HTML {
	var b bytes.Buffer
	if err := parts.ExecuteTemplate(&b, name, data); err != nil {
		return ""
	}
	return template.HTML(b.String())
}

func icon(name string) template.HTML { return draw("icon", name) }

// stateLook is the picture and the colour of a state; the word is the catalogue's.
var stateLook = map[string]struct{ icon, tone string }{
	"good": {"good", "good"}, "held": {"held", "care"}, "locked": {"lock", "care"},
	"pending": {"wait", "main"}, "submitted": {"wait", "main"}, "issued": {"tap", "main"}, "personalized": {"good", "good"},
	"revoked": {"ended", "bad"}, "superseded": {"ended", "bad"}, "expired": {"ended", "bad"},
	"rejected": {"ended", "bad"}, "withdrawn": {"ended", ""}, "lapsed": {"ended", ""}, "none": {"ended", ""},
}

// state draws a credential's or an application's state; a word that is no state is shown as it is.
func state(lang text.Lang, name string) template.HTML {
	if name == "active" {
		name = "good"
	}
	look, known := stateLook[name]
	word := name
	if known {
		word = text.Sentence("part.state."+name, lang, nil)
	}
	return draw("state", struct{ Icon, Tone, Word string }{look.icon, look.tone, word})
}

// secret draws the field in which a secret is typed: owner "card" or "phone", kind
// "signature" or "authentication", the field's name, and how many tries are left, -1 where
// nobody knows. Card and phone differ in colour, picture and word (R28).
func secret(lang text.Lang, owner, kind, name string, tries int) template.HTML {
	v := struct {
		Owner, Legend, Form, Name, Tries string
		Numeric                          bool
	}{
		Owner: owner, Name: name, Numeric: kind == "authentication",
		Legend: text.Sentence("part.secret."+owner+"."+kind, lang, nil), Form: text.Sentence("part.form."+kind, lang, nil),
	}
	switch {
	case tries == 1:
		v.Tries = text.Sentence("part.tries.one", lang, nil)
	case tries >= 0:
		v.Tries = text.Sentence("part.tries", lang, map[string]string{"n": strconv.Itoa(tries)})
	}
	return draw("secret", v)
}

// steps draws how far a person has come: at is the step they are at, from 1.
func steps(lang text.Lang, at, all int) template.HTML {
	each := make([]string, all)
	for i := range each {
		switch {
		case i+1 < at:
			each[i] = "past"
		case i+1 == at:
			each[i] = "now"
		}
	}
	label := text.Sentence("part.steps", lang, map[string]string{"at": strconv.Itoa(at), "all": strconv.Itoa(all)})
	return draw("steps", struct {
		Label string
		Each  []string
	}{label, each})
}

// Code is a QR code as pages draw it (package phone and the server make it).
type Code struct{ ViewBox, Path, Label string }

func code(c Code) template.HTML { return draw("qr", c) }
