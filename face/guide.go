package face

import "html/template"

// Guide is the strip above a page that leads somebody through places: how far they have come,
// what is to be done here or where to go next, and what to type. All of it is sentences in the
// reader's language; the zero value of a field is not drawn.
type Guide struct {
	Walk, Back string // what they are on, and the address of its own page
	At, All    int    // stops
	Title      string // of the stop
	Note       string // what to do here
	Secrets    []GuideSecret
	Go, To     string // what leads on, and where
}

// GuideSecret is a secret that an invented person would know.
type GuideSecret struct {
	Owner       string // "card" or "phone"
	Name, Value string
}

// guide draws the strip; nothing for who is on no walk.
func guide(g *Guide) template.HTML {
	if g == nil {
		return ""
	}
	return draw("guide", g)
}
