package face

import (
	"html/template"
	"time"

	"warifu/text"
)

// Console is what a page of the operators' console is drawn from: Page.Data of every page that
// ConsolePage made. The template "body" is executed with it.
type Console struct {
	Lang   text.Lang
	Name   string         // who is signed in; "": nobody
	Role   string         // of who is signed in
	Ends   time.Time      // when the session ends at the latest
	Places []ConsolePlace // what the role may open
	Token  string         // of this page's forms: {{template "token" .}}
	Data   any            // the page's own
}

// ConsolePlace is one entry of the navigation.
type ConsolePlace struct {
	Address, Key string
	Here         bool
}

// Dress implements Dressed.
func (c Console) Dress(f *Frame) {
	f.Place, f.Lost = text.Sentence("console.place", c.Lang, nil), ""
	f.Styles = append(f.Styles, "console.css")
	f.Scripts = append(f.Scripts, "passkey.js", "console.js")
}

// ConsolePage returns the page templates/console/NAME.html inside the console's frame. The file
// defines "body".
func ConsolePage(name string) *template.Template {
	return Later(func() *template.Template {
		return template.Must(Framed("page").ParseFS(templates, "templates/console/frame.html", "templates/console/"+name+".html"))
	})
}
