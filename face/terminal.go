package face

import "html/template"

// Terminal returns the template "page" of a screen of a terminal that many people use one
// after another (kiosk, clinic), templates/NAME.html, in the frame of every page with the
// parts of templates/terminal.html: one question a screen, large targets, the way back and
// out and the time that is left always at the same place. On a screen of the device's own
// size the page is the whole screen; in a larger window the device stands in it.
//
// The page's Data has a field Screen with what those parts tell (sandbox/terminal).
func Terminal(name string) *template.Template {
	return Place(name, "terminal")
}
