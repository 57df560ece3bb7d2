package repair

import (
	"net/http"
	"net/url"

	"warifu/sandbox/doorway"
)

func (s *Shop) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.front(w, r, nil) })
	mux.HandleFunc("POST /repairs", s.handByForm)
	mux.HandleFunc("GET /find", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/repairs/"+url.PathEscape(r.FormValue("id")), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /repairs/{id}", func(w http.ResponseWriter, r *http.Request) { s.show(w, r, "", nil) })
	mux.HandleFunc("POST /repairs/{id}/tap", s.form(func(r *http.Request, id string) error {
		_, err := s.tap(r.Context(), id, r.FormValue("chip"))
		return err
	}))
	mux.HandleFunc("POST /repairs/{id}/intake", s.form(func(r *http.Request, id string) error {
		_, err := s.intake(r.Context(), id, Intake{Until: r.FormValue("until"), Unseen: r.FormValue("unseen") != ""})
		return err
	}))
	mux.HandleFunc("POST /repairs/{id}/delay", s.form(func(r *http.Request, id string) error {
		_, err := s.delay(r.Context(), id, Delay{Ready: r.FormValue("ready"), Until: r.FormValue("until")})
		return err
	}))
	mux.HandleFunc("POST /repairs/{id}/return", s.form(func(r *http.Request, id string) error {
		_, err := s.giveBack(r.Context(), id, Claimed{r.FormValue("claim"), r.FormValue("imei")})
		return err
	}))
	mux.HandleFunc("POST /repairs/{id}/orders", s.form(func(*http.Request, string) error { return s.refuseOrder() }))
}

var frontPage = doorway.Template(`{{define "body"}}<p>{{.T "repair.welcome"}}</p><ol><li>{{.T "repair.before-revoke"}}</li><li>{{.T "repair.before-hold"}}</li><li>{{.T "repair.before-broken"}} {{.Data.Hotline}}</li></ol>
<p><a href="{{.Data.Phones}}/">{{.T "repair.phones"}}</a></p>
<form method="post" action="/repairs"><fieldset><legend>{{.T "repair.hand-in"}}</legend>
<label>{{.T "repair.what"}} <input name="title" required></label>
<label>{{.T "repair.imei"}} <input name="imei" inputmode="numeric" required autocomplete="off"></label>
<label>{{.T "repair.ready"}} <input name="ready" type="date" required></label><button>{{.T "repair.hand-in-do"}}</button></fieldset></form>
<form method="get" action="/find"><label>{{.T "repair.number"}} <input name="id" placeholder="repair-0001" required></label> <button>{{.T "repair.find"}}</button></form>{{end}}`)

func (s *Shop) front(w http.ResponseWriter, r *http.Request, problem error) {
	doorway.Show(w, r, frontPage, "repair.title", s.config, problem)
}

var jobPage = doorway.Template(`{{define "body"}}{{$j := .Data.Job}}
{{with .Data.Claim}}<div class="done" role="status"><p>{{$.T "repair.claim-told"}}</p><p><strong id="claim">{{.}}</strong></p></div>{{end}}
<table><tr><th>{{.T "repair.number"}}</th><td><code>{{$j.ID}}</code></td></tr><tr><th>{{.T "repair.what"}}</th><td>{{$j.Title}}</td></tr><tr><th>IMEI</th><td><code>{{$j.IMEI}}</code></td></tr>
<tr><th>{{.T "repair.ready"}}</th><td>{{$j.Ready}}</td></tr><tr><th>{{.T "repair.state"}}</th><td><strong>{{.T (printf "repair.state-%s" $j.State)}}</strong></td></tr>
<tr><th>{{.T "repair.certificates"}}</th><td><strong>{{.T (printf "repair.seen-%s" $j.Seen)}}</strong>{{with $j.Until}} ({{$.T "repair.until"}} {{.}}){{end}}</td></tr></table>
{{range $j.Notes}}<div class="problem" role="status"><p>{{.In $.Lang}} <code>{{.Problem}}</code></p></div>{{end}}
{{if eq $j.State "at-counter"}}<h2>{{.T "repair.look"}}</h2>
<form method="post" action="/repairs/{{$j.ID}}/tap"><label>{{.T "repair.tap"}} <input name="chip" value="phone-1" required></label> <button>{{.T "repair.tap-do"}}</button></form>
<p><a href="{{.Data.Phone}}">{{.T "repair.show"}}</a></p><form method="get" action="/repairs/{{$j.ID}}"><button>{{.T "repair.look-again"}}</button></form>
<h2>{{.T "repair.intake"}}</h2><form method="post" action="/repairs/{{$j.ID}}/intake"><label>{{.T "repair.until-said"}} <input name="until" type="date"></label>
<label><input type="checkbox" name="unseen" value="1"> {{.T "repair.unseen"}}</label><button>{{.T "repair.intake-do"}}</button></form>{{end}}
{{if eq $j.State "taken"}}<h2>{{.T "repair.delay"}}</h2><p>{{.T "repair.delay-note"}}</p>
<form method="post" action="/repairs/{{$j.ID}}/delay"><label>{{.T "repair.ready"}} <input name="ready" type="date" value="{{$j.Ready}}" required></label><label>{{.T "repair.until-put-off"}} <input name="until" type="date"></label><button>{{.T "repair.delay-do"}}</button></form>
<form method="post" action="/repairs/{{$j.ID}}/tap"><label>{{.T "repair.tap"}} <input name="chip" value="phone-1" required></label> <button>{{.T "repair.tap-do"}}</button></form>
<h2>{{.T "repair.return"}}</h2><form method="post" action="/repairs/{{$j.ID}}/return"><label>{{.T "repair.claim"}} <input name="claim" inputmode="numeric" required autocomplete="off"></label>
<label>{{.T "repair.other"}} <input name="imei" inputmode="numeric" autocomplete="off"></label><button>{{.T "repair.return-do"}}</button></form>
<form method="post" action="/repairs/{{$j.ID}}/orders"><button>{{.T "repair.order"}}</button></form>{{end}}
<p><a href="/">{{.T "repair.back"}}</a></p>{{end}}`)

type jobData struct {
	Job          Job
	Claim, Phone string
}

// show draws a job; claim is told once, on the page after handing in.
func (s *Shop) show(w http.ResponseWriter, r *http.Request, claim string, problem error) {
	id := r.PathValue("id")
	j, err := s.look(r.Context(), id)
	if problem == nil {
		problem = err
	}
	if j.ID == "" {
		s.front(w, r, problem)
		return
	}
	at := s.config.Origin + "/api/repairs/" + j.ID + "/presence"
	doorway.Show(w, r, jobPage, "repair.job", jobData{j, claim, s.config.Phones + "/login?at=" + url.QueryEscape(at)}, problem)
}

func (s *Shop) handByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	receipt, err := s.hand(Handed{r.FormValue("title"), r.FormValue("imei"), r.FormValue("ready")})
	if err != nil {
		s.front(w, r, err)
		return
	}
	r.SetPathValue("id", receipt.ID)
	s.show(w, r, receipt.Claim, nil)
}

// form makes a door of a step that a page's form fills: back to the page, with the problem
// if there was one.
func (s *Shop) form(step func(*http.Request, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
		if err := step(r, r.PathValue("id")); err != nil {
			s.show(w, r, "", err)
			return
		}
		http.Redirect(w, r, "/repairs/"+r.PathValue("id"), http.StatusSeeOther)
	}
}
