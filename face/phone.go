package face

import (
	"html/template"
	"strconv"
	"time"

	"warifu/text"
)

// PhoneFrame is what stands around a screen of the sandbox's phones: the browser's page with
// the band, in it a handset with its status bar, the app's head and its tabs. On a small
// screen the handset is the screen itself.
type PhoneFrame struct {
	Lang  text.Lang
	Title string // of the screen, in the reader's language
	Band  string // what this is: a test system that is not the government's
	Phone string // identifier; empty: no phone is in hand
	Name  string // of the model, as sold
	Now   time.Time
	// Switch are the screen's addresses in other languages and calendars.
	Switch Switches
	Eras   bool   // dates are told by eras
	Tab    string // "home" or "my" (K8); empty: neither
	Back   string // where the arrow in the head leads; empty: no arrow
	Lost   string // where a person goes whose phone is lost, without a login (R76); empty: no link
	Manual string // the pages for holders, in easy words; empty: no link
	// Refresh is after how many seconds a browser without script asks again; zero: never.
	Refresh int
	// Waits tells that the screen waits for something: the word that it happened leads on.
	Waits bool
	// Quiet tells that the holder does not allow notices (R43): none is shown on the screen.
	Quiet bool
	// Guide leads a person who is on a walk through places; nil for everybody else.
	Guide *Guide
}

// Phone returns the template "page" of a screen of the phone, templates/phone/NAME.html, which
// defines "body", in the phone's frame with the parts of every page. Data has a field or
// method Frame, a PhoneFrame, and a Problem.
func Phone(name string) *template.Template {
	return Later(func() *template.Template {
		return template.Must(template.New(name).Funcs(frameFunctions).Funcs(template.FuncMap{"clock": clock, "keys": keys}).
			ParseFS(templates, "templates/frame.html", "templates/phone/frame.html", "templates/phone/"+name+".html"))
	})
}

// clock is the time as a phone's status bar tells it, in Japan: day and minute.
func clock(lang text.Lang, at time.Time) string {
	if lang == text.English {
		return at.In(tokyo).Format("Mon 2 Jan 15:04")
	}
	at = at.In(tokyo)
	return at.Format("1月2日") + "（" + [...]string{"日", "月", "火", "水", "木", "金", "土"}[at.Weekday()] + "）" + at.Format("15:04")
}

// keys are the catalogue's keys PREFIX1 to PREFIXn.
func keys(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = prefix + strconv.Itoa(i+1)
	}
	return out
}
