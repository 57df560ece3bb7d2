package desk

import (
	"html/template"
	"net/http"
	"strings"
	"time"

	"warifu/face"
	"warifu/sandbox/doorway"
)

// page is one of the desk's pages (face/templates/desk), with the parts they share.
func page(name string) *template.Template {
	return face.Place("desk/"+name, "desk/parts")
}

// rooms are the desk's pages in the order in which they are offered, by their address.
var rooms = []string{"/", "/persons", "/time", "/faults", "/trace", "/notices", "/worlds"}

// Room is one of the desk's pages as the others link it.
type Room struct {
	Address, Key string
	Here         bool
}

// view is what every page of the desk has: where it stands among the others, what time it
// is, and who the person at the browser is.
type view struct {
	Rooms  []Room
	Places Places
	Now    time.Time
	Clock  string // the same, to the second
	Open   bool   // certificates are issued now
	Always bool   // whatever the hour
	Next   time.Time
	Me     string // the current person's identifier
}

func (d *Desk) view(r *http.Request, here string) view {
	now := d.now()
	v := view{Places: d.config.Places, Now: now, Clock: now.Format("15:04:05"), Me: d.me(r), Open: true}
	for _, address := range rooms {
		key := "desk.room-" + strings.TrimPrefix(address, "/")
		if address == "/" {
			key = "desk.room-start"
		}
		v.Rooms = append(v.Rooms, Room{address, key, address == here})
	}
	h := d.config.Scheme.Hours
	if v.Always = h.Always; !h.Always {
		v.Open, v.Next = h.Open(now), h.ClosesAfter(now)
		if !v.Open {
			v.Next = h.Next(now)
		}
	}
	return v
}

// usual is whom a browser stands for that has not chosen.
const usual = "taro"

// me is the current person: whom the browser chose, if this world has them.
func (d *Desk) me(r *http.Request) string {
	views, err := d.config.Cards.Persons()
	if err != nil || len(views) == 0 {
		return usual
	}
	if chosen := doorway.Person(r); chosen != "" {
		for _, v := range views {
			if v.Person.ID == chosen {
				return chosen
			}
		}
	}
	for _, v := range views {
		if v.Person.ID == usual {
			return usual
		}
	}
	return views[0].Person.ID
}

// form does what a form of a page says and goes on to the address next, or shows the page it
// came from with the problem.
func (d *Desk) form(w http.ResponseWriter, r *http.Request, next string, again func(error), f func() error) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	if err := f(); err != nil {
		again(err)
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// pageRoutes adds the pages and their forms.
func (d *Desk) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", d.start)
	mux.HandleFunc("POST /walk", d.walkByForm)
	mux.HandleFunc("POST /me", d.beMe)
	mux.HandleFunc("GET /live", d.live)
	mux.HandleFunc("GET /persons", func(w http.ResponseWriter, r *http.Request) { d.personsList(w, r, nil) })
	mux.HandleFunc("POST /persons", d.newPersonByForm)
	mux.HandleFunc("POST /personas", d.personaByForm)
	mux.HandleFunc("GET /persons/{id}", func(w http.ResponseWriter, r *http.Request) { d.personOf(w, r, nil) })
	mux.HandleFunc("GET /time", func(w http.ResponseWriter, r *http.Request) { d.timeMachine(w, r, nil) })
	mux.HandleFunc("POST /clock", d.moveTimeByForm)
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, r *http.Request) { d.faultBoard(w, r, nil) })
	mux.HandleFunc("POST /faults", d.faultByForm)
	mux.HandleFunc("GET /trace", d.traceOf)
	mux.HandleFunc("POST /trace/clear", d.clearTrace)
	mux.HandleFunc("GET /worlds", func(w http.ResponseWriter, r *http.Request) { d.worldsOf(w, r, false, nil) })
	mux.HandleFunc("POST /worlds", d.turnByForm)
	mux.HandleFunc("GET /notices", d.noticesOf)
	mux.HandleFunc("POST /suspensions", d.suspendByForm)
	for _, prefix := range []string{"", "/persons/{id}"} { // with the person in the address, or in the field "card"
		mux.HandleFunc("POST "+prefix+"/events", d.eventByForm)
		mux.HandleFunc("POST "+prefix+"/orders", d.orderByForm)
		mux.HandleFunc("POST "+prefix+"/counter", d.counterByForm)
	}
}
