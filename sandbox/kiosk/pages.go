package kiosk

import (
	"net/http"
	"strconv"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/municipality"
)

// visitCookie names the visit of this screen. Cookies know no ports, so its name is the kiosk's own.
const visitCookie = "warifu_kiosk"

var screen = doorway.Template(`{{define "body"}}
{{with .Data}}{{$v := .View}}
{{if .Refunded}}<div class="done" role="status"><p>{{$.T "kiosk.refunded"}} {{.Refunded}}{{$.T "kiosk.yen"}}</p></div>{{end}}
{{if eq $v.Step ""}}
<p>{{$.T "kiosk.welcome"}}</p><p>{{$.T "kiosk.hours"}}</p>
<form method="post" action="/visits"><h2>{{$.T "kiosk.which"}}</h2><div class="row">
<button name="medium" value="phone">{{$.T "kiosk.phone"}}</button> <button name="medium" value="card">{{$.T "kiosk.card"}}</button></div></form>
{{else}}
{{if eq $v.Step "touch"}}<div class="card of-{{$v.Medium}}"><h2>{{if eq $v.Medium "phone"}}{{$.T "kiosk.pin-phone"}}{{else}}{{$.T "kiosk.pin-card"}}{{end}}</h2>
<p>{{if eq $v.Medium "phone"}}{{$.T "kiosk.pin-phone-note"}}{{else}}{{$.T "kiosk.pin-card-note"}}{{end}}</p>
<form method="post" action="/visit/touch">
{{if .Chips}}<label>{{if eq $v.Medium "phone"}}{{$.T "kiosk.touch-phone"}}{{else}}{{$.T "kiosk.touch-card"}}{{end}} <select name="chip">{{range .Chips}}<option{{if eq . $.Data.Touched}} selected{{end}}>{{.}}</option>{{end}}</select> <small>{{$.T "kiosk.where-pins"}}</small></label>
{{else}}<p><strong>{{if eq $v.Medium "phone"}}{{$.T "kiosk.reader-phone"}}{{else}}{{$.T "kiosk.reader-card"}}{{end}}</strong></p>{{end}}
<label>{{$.T "kiosk.pin"}} <input name="pin" type="password" inputmode="numeric" pattern="[0-9０-９]{4}" maxlength="4" required autocomplete="off"></label>
{{if $v.LastTry}}<label class="tick"><input type="checkbox" name="last" value="yes" required> {{$.T "kiosk.last-try"}}</label>{{end}}
<button>{{$.T "kiosk.go-on"}}</button></form></div>
{{else if eq $v.Step "choose"}}<h2>{{$v.Town.Prefecture}}{{$v.Town.Name}}</h2>
<form method="post" action="/visit/choice"><fieldset><legend>{{$.T "kiosk.choose"}}</legend>
{{range $v.Offers}}<label class="tick"><input type="radio" name="document" value="{{.Document}}" required{{if .Refused}} disabled{{end}}> {{$.T (printf "kiosk.document-%s" .Document)}} ({{.Fee}}{{$.T "kiosk.yen"}})
{{with .Refused}}<br>{{if eq $.Lang "ja"}}{{.TitleJa}}{{else}}{{.Title}}{{end}}{{end}}</label>{{end}}
<label class="tick"><input type="checkbox" name="household" value="yes"> {{$.T "kiosk.household"}}</label>
<label class="tick"><input type="checkbox" name="relation" value="yes"> {{$.T "kiosk.relation"}}</label>
<label>{{$.T "kiosk.copies"}} <input type="number" name="copies" value="1" min="1" max="{{.Most}}" required></label></fieldset>
<button>{{$.T "kiosk.go-on"}}</button></form>
{{else if eq $v.Step "pay"}}<h2>{{$.T (printf "kiosk.document-%s" $v.Document)}} × {{$v.Copies}}</h2>
<table><tr><th>{{$.T "kiosk.fee"}}</th><td>{{$v.Fee}}{{$.T "kiosk.yen"}}</td></tr><tr><th>{{$.T "kiosk.paid"}}</th><td>{{$v.Paid}}{{$.T "kiosk.yen"}}</td></tr></table>
{{if .Short}}<form method="post" action="/visit/coins"><p><strong>{{$.T "kiosk.insert"}}</strong></p><div class="row">{{range .Coins}}<button name="yen" value="{{.}}">{{.}}{{$.T "kiosk.yen"}}</button>{{end}}</div></form>
{{else}}<form method="post" action="/visit/print"><button>{{$.T "kiosk.print"}}</button></form>{{end}}
{{else}}<div class="done" role="status"><p><strong>{{$.T "kiosk.done"}}</strong></p>{{if $v.Refund}}<p>{{$.T "kiosk.change"}} {{$v.Refund}}{{$.T "kiosk.yen"}}</p>{{end}}
<p>{{$.T "kiosk.take-along"}}</p></div><p><a class="button" href="/visit/paper">{{$.T "kiosk.paper"}}</a></p>{{end}}
<form method="post" action="/visit/leave">{{if eq $v.Step "done"}}<button>{{$.T "kiosk.finish"}}</button>{{else}}<button class="quiet">{{if $v.Paid}}{{$.T "kiosk.give-up"}}{{else}}{{$.T "kiosk.stop"}}{{end}}</button>{{end}}</form>
{{end}}{{end}}{{end}}`)

type screenData struct {
	View     View
	Chips    []string
	Touched  string
	Coins    []int
	Most     int
	Short    bool
	Refunded int
}

func (k *Kiosk) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { k.show(w, r, View{}, "", nil) })
	mux.HandleFunc("GET /visit", func(w http.ResponseWriter, r *http.Request) {
		v, err := k.Visit(visiting(r))
		k.show(w, r, v, "", err)
	})
	mux.HandleFunc("POST /visits", k.beginByForm)
	mux.HandleFunc("POST /visit/touch", k.touchByForm)
	mux.HandleFunc("POST /visit/choice", func(w http.ResponseWriter, r *http.Request) {
		copies, _ := strconv.Atoi(r.FormValue("copies")) // zero is refused
		document, options := r.FormValue("document"), municipality.Options{}
		if document == municipality.Residence { // the boxes are this paper's alone
			options = municipality.Options{Household: r.FormValue("household") != "", Relation: r.FormValue("relation") != ""}
		}
		v, err := k.Choose(visiting(r), Choice{document, options, copies})
		k.next(w, r, v, err)
	})
	mux.HandleFunc("POST /visit/coins", func(w http.ResponseWriter, r *http.Request) {
		yen, _ := strconv.Atoi(r.FormValue("yen")) // no coin is worth zero
		v, err := k.Insert(visiting(r), yen)
		k.next(w, r, v, err)
	})
	mux.HandleFunc("POST /visit/print", func(w http.ResponseWriter, r *http.Request) {
		v, err := k.Print(r.Context(), visiting(r))
		k.next(w, r, v, err)
	})
	mux.HandleFunc("GET /visit/paper", func(w http.ResponseWriter, r *http.Request) { k.hand(w, visiting(r)) })
	mux.HandleFunc("POST /visit/leave", k.leaveByForm)
}

// visiting is the visit of this screen, "" for none.
func visiting(r *http.Request) string {
	c, err := r.Cookie(visitCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// next goes on to the visit's page, or shows what was wrong where the visit stands.
func (k *Kiosk) next(w http.ResponseWriter, r *http.Request, v View, err error) {
	if err != nil {
		k.show(w, r, v, "", err)
		return
	}
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

func (k *Kiosk) show(w http.ResponseWriter, r *http.Request, v View, touched string, problem error) {
	if warifu.ProblemOf(problem) != nil && v.ID == "" && visiting(r) != "" { // a visit that is over, or a step out of order
		v, _ = k.Visit(visiting(r)) // the zero value is the first screen
	}
	data := screenData{View: v, Touched: touched, Coins: Coins, Most: municipality.MaxCopies, Short: v.Paid < v.Fee}
	if problem != nil && v.Step == StepChoose {
		data.Refunded = v.Refund
	}
	if v.Step == StepTouch && k.config.Reader == nil {
		chips, err := k.config.Chips()
		if err != nil && problem == nil {
			problem = err
		}
		for _, c := range chips {
			if c.Class.String() == v.Medium {
				data.Chips = append(data.Chips, c.ID)
			}
		}
	}
	doorway.Show(w, r, screen, "kiosk.title", data, problem)
}

func (k *Kiosk) beginByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	v, err := k.Begin(r.FormValue("medium"))
	if err != nil {
		k.show(w, r, View{}, "", err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: visitCookie, Value: v.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

func (k *Kiosk) touchByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	chip := r.FormValue("chip")
	v, err := k.Touch(r.Context(), visiting(r), Touch{Chip: chip, PIN: r.FormValue("pin"), LastTry: r.FormValue("last") != ""})
	if err != nil {
		k.show(w, r, v, chip, err)
		return
	}
	http.Redirect(w, r, "/visit", http.StatusSeeOther)
}

// leaveByForm ends the visit and shows the first screen to the next person.
func (k *Kiosk) leaveByForm(w http.ResponseWriter, r *http.Request) {
	refund, err := k.Leave(visiting(r))
	http.SetCookie(w, &http.Cookie{Name: visitCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		err = nil // over already
	}
	doorway.Show(w, r, screen, "kiosk.title", screenData{Refunded: refund}, err)
}
