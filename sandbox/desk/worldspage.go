package desk

import (
	"net/http"

	"warifu"
	"warifu/face"
	"warifu/sandbox/doorway"
)

var worldsPage = page("worlds")

// worldsData is the page on which the whole world is saved, loaded and reset.
type worldsData struct {
	view
	Turned
	Fixed   bool   // it cannot be turned
	Turning bool   // it is about to
	Failed  string // title of the last turn's problem, in the reader's language
}

// Dress has the page of a world that turns come back by itself.
func (d worldsData) Dress(f *face.Frame) {
	if d.Turning {
		f.Refresh = 2
	}
}

func (d *Desk) worldsOf(w http.ResponseWriter, r *http.Request, turning bool, problem error) {
	data := worldsData{view: d.view(r, "/worlds"), Turning: turning, Fixed: d.config.Worlds == nil}
	if !data.Fixed {
		var err error
		if data.Turned, err = d.config.Worlds.Turned(); problem == nil {
			problem = err
		}
		if f := data.Turned.Failed; f != nil {
			data.Failed = f.Title
			if doorway.Lang(r) == "ja" {
				data.Failed = f.TitleJa
			}
		}
	}
	doorway.Show(w, r, worldsPage, "desk.worlds-title", data, problem)
}

// turnByForm has the world turned; the page that answers waits until it stands again.
func (d *Desk) turnByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	err := error(warifu.Refused("world-fixed"))
	if d.config.Worlds != nil {
		err = d.config.Worlds.Turn(Turn{r.FormValue("do"), r.FormValue("name")})
	}
	d.worldsOf(w, r, err == nil, err)
}

var noticesPage = page("notices")

// noticesData is what the world's telephones got.
type noticesData struct {
	view
	Notices []Notice
	Hotline string // the operators' page
}

func (d *Desk) noticesOf(w http.ResponseWriter, r *http.Request) {
	doorway.Show(w, r, noticesPage, "desk.notices-title", noticesData{d.view(r, "/notices"), d.config.Tray.Notices(), d.config.Places.Server + "/console"}, nil)
}
