package desk

import "warifu/sandbox/moment"

// maxShown is how much of the calendar the page shows; `warifu clock upcoming` shows all.
const maxShown = 20

// shown is the part of the calendar that the page shows: everybody's ordinary birthdays
// would hide what matters.
func shown(due []moment.Due) []moment.Due {
	var out []moment.Due
	for _, d := range due {
		if d.What != moment.Birthday && len(out) < maxShown {
			out = append(out, d)
		}
	}
	return out
}

// clockPart is the time machine of the start page: words or the browser's own field, and
// what will fall due.
const clockPart = `{{define "clock"}}{{$p := .}}<h2 id="clock">{{.T "desk.clock"}}</h2><p><strong>{{.Data.Now}}</strong></p>
<form method="post" action="/clock"><fieldset><legend>{{.T "desk.clock-words"}}</legend><p>{{.T "desk.clock-note"}}</p>
<label>{{.T "desk.clock-to"}} <input name="words" list="wishes" required autocomplete="off"></label>
<datalist id="wishes"><option value="{{.T "desk.wish-closing"}}"><option value="{{.T "desk.wish-tomorrow"}}"><option value="{{.T "desk.wish-notice"}}"><option value="{{.T "desk.wish-expiry"}}"><option value="{{.T "desk.wish-fifteen"}}"><option value="{{.T "desk.wish-repair"}}"></datalist>
<label>{{.T "desk.clock-card"}} <input name="card" autocomplete="off"></label> <button>{{.T "desk.clock-move"}}</button></fieldset></form>
<form method="post" action="/clock"><label>{{.T "desk.clock-instant"}} <input type="datetime-local" name="to" required></label> <button>{{.T "desk.clock-move"}}</button></form>
<table id="upcoming"><caption>{{.T "desk.upcoming"}}</caption><tr><th>{{.T "cli.word-when"}}</th><th>{{.T "cli.word-what"}}</th><th>{{.T "desk.card"}}</th></tr>
{{range .Data.Upcoming}}<tr><td>{{.At.Format "2006-01-02 15:04:05"}}</td><td>{{$p.T (printf "cli.word-due-%s" .What)}}{{if .Kind.Valid}} ({{$p.T (printf "cli.word-kind-%s" .Kind)}}){{end}}</td><td><code>{{.Card}}</code></td></tr>
{{end}}</table>{{end}}`

// counterPart is the town hall's counter and the kiosk, where the card's passwords live.
const counterPart = `{{define "counter"}}{{$p := .}}<form method="post" action="/counter"><fieldset><legend>{{.T "desk.counter"}}</legend><p>{{.T "desk.counter-note"}}</p>
<label>{{.T "desk.card"}} <input name="card" required autocomplete="off"></label>
<label>{{.T "desk.counter-what"}} <select name="what">{{range .Data.Visits}}<option value="{{.}}">{{$p.T (printf "desk.counter-%s" .)}}</option>{{end}}</select></label>
<label>{{.T "desk.counter-kind"}} <select name="kind"><option value="authentication">{{.T "desk.kind-authentication"}}</option><option value="signature">{{.T "desk.kind-signature"}}</option></select></label>
<label>{{.T "desk.counter-known"}} <input name="known" autocomplete="off"></label>
<label>{{.T "desk.counter-next"}} <input name="next" autocomplete="off"></label> <button>{{.T "desk.counter-do"}}</button></fieldset></form>{{end}}`
