package desk

import (
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
	"warifu/sandbox/moment"
)

var front = doorway.Template(`{{define "body"}}{{$p := .}}
<p>{{.T "desk.welcome"}}</p>
<h2>{{.T "desk.places"}}</h2>
<ul>
<li><a href="{{.Data.Places.Phones}}/">{{.T "desk.phones"}}</a> <code>{{.Data.Places.Phones}}</code></li>
<li><a href="{{.Data.Places.Bank}}/">{{.T "desk.bank"}}</a> <code>{{.Data.Places.Bank}}</code></li>
{{range .Data.Places.Services}}<li><a href="{{.Address}}/">{{$p.T .Title}}</a> <code>{{.Address}}</code></li>
{{end}}<li><a href="{{.Data.Places.Server}}/">{{.T "desk.server"}}</a> <code>{{.Data.Places.Server}}</code></li>
</ul>
{{template "clock" .}}
<h2>{{.T "desk.cards"}}</h2>
<p>{{.T "desk.cards-note"}}</p>
<table><tr><th>{{.T "desk.card"}}</th><th>{{.T "desk.name"}}</th><th>{{.T "desk.difference"}}</th><th>{{.T "desk.pins"}}</th><th>{{.T "desk.state"}}</th></tr>
{{range .Data.Cards}}<tr id="card-{{.ID}}"><td><code>{{.ID}}</code></td><td>{{.Name}}</td><td>{{if eq $p.Lang "ja"}}{{.Difference.Ja}}{{else}}{{.Difference.En}}{{end}}</td>
<td><code>{{.PINs.Signature}} {{.PINs.Authentication}}</code></td><td>{{.State}}</td></tr>
{{end}}</table>
<form method="post" action="/events"><fieldset><legend>{{.T "desk.event"}}</legend><p>{{.T "desk.event-note"}}</p>
<label>{{.T "desk.card"}} <input name="card" required autocomplete="off"></label>
<label>{{.T "desk.event-what"}} <select name="event">{{range .Data.Events}}<option value="{{.}}">{{$p.T (printf "desk.event-%s" .)}}</option>{{end}}</select></label>
<label>{{.T "desk.event-signature"}} <input name="signature" autocomplete="off"></label> <button>{{.T "desk.event-do"}}</button></fieldset></form>
<form method="post" action="/orders"><fieldset><legend>{{.T "desk.order"}}</legend><p>{{.T "desk.order-note"}}</p>
<label>{{.T "desk.card"}} <input name="card" required autocomplete="off"></label>
<label>{{.T "desk.order-password"}} <input name="cardPassword" required autocomplete="off"></label>
<label>{{.T "desk.order-verb"}} <select name="verb"><option value="suspend">{{.T "desk.order-suspend"}}</option><option value="resume">{{.T "desk.order-resume"}}</option><option value="revoke">{{.T "desk.order-revoke"}}</option></select></label>
<button>{{.T "desk.order-do"}}</button></fieldset></form>
<p><a href="/reader">{{.T "login.approve.card"}}</a></p>
<form method="post" action="/suspensions"><fieldset><legend>{{.T "desk.code"}}</legend><p>{{.T "desk.code-note"}}</p>
<label>{{.T "desk.code"}} <input name="code" inputmode="numeric" required autocomplete="off"></label> <button>{{.T "desk.code-do"}}</button></fieldset></form>
<h2 id="notices">{{.T "desk.notices"}}</h2><p>{{.T "desk.notices-note"}}</p>
{{with .Data.Notices}}<ul>{{range .}}<li>{{.At}} <code>{{.Telephone}}</code> {{if eq $p.Lang "ja"}}{{.TextJa}}{{else}}{{.TextEn}}{{end}}</li>{{end}}</ul>{{else}}<p>{{.T "desk.no-notices"}}</p>{{end}}
{{template "counter" .}}
<h2>{{.T "desk.handsets"}}</h2>
{{if .Data.Phones}}<ul>{{range .Data.Phones}}<li><a href="{{$p.Data.Places.Phones}}/phones/{{.ID}}">{{.ID}}</a> {{.Model}}</li>{{end}}</ul>{{else}}<p>{{.T "desk.no-handsets"}}</p>{{end}}
{{end}}` + clockPart + counterPart)

type frontData struct {
	Places Places
	Now    string
	Cards  []Card
	Phones []handset.Record
	Events []string
	// Upcoming are the next entries of the calendar, Visits what counter and kiosk offer.
	Upcoming []moment.Due
	Visits   []string
	// Notices to registered contacts, newest first.
	Notices []Notice
}

func (d *Desk) page(w http.ResponseWriter, r *http.Request) { d.draw(w, r, nil) }

// draw writes the start page, with a problem where something was refused.
func (d *Desk) draw(w http.ResponseWriter, r *http.Request, problem error) {
	cards, err := d.all()
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	due, err := d.config.Calendar(r.Context())
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	now := d.now()
	data := frontData{d.config.Places, now.Format("2006-01-02 15:04:05 MST"), cards, d.config.Phones(), Events, shown(due), visits, d.config.Tray.Notices()}
	doorway.Show(w, r, front, "desk.title", data, problem)
}
