package portal

import (
	"net/http"
	"net/url"
	"time"

	"warifu/sandbox/doorway"
	"warifu/sandbox/visitor"
	"warifu/text"
)

// seen is what pages are made of; each page fills its own part.
type seen struct {
	Who          *visitor.Visitor
	Records      Records
	Words, Town  string
	Towns        []Town
	Found        []Procedure
	Procedure    Procedure
	Applications []Application
	Application  Application
	Answers      map[string]string
	Tax, Desk    string
}

// Class says what somebody logged in with.
func (s seen) Class(class string, l text.Lang) string { return visitor.ClassWord(class, l) }

// Day is a day in Tokyo.
func (s seen) Day(t time.Time) string { return t.In(visitor.Tokyo).Format(day) }

// Title names a procedure.
func (s seen) Title(id string, l text.Lang) string {
	for _, p := range offered().Procedure {
		if p.ID == id {
			return p.Name.In(l)
		}
	}
	return id
}

// Moving reports whether the application is of a move.
func (s seen) Moving() bool {
	return s.Application.Procedure == "moving-out" || s.Application.Procedure == "moving-in"
}

// Action leads from a procedure to its form, with the town that was chosen.
func (s seen) Action(id string) string {
	return "/procedures/" + id + "?town=" + url.QueryEscape(s.Town)
}

var frontPage = doorway.Template(`{{define "body"}}{{$d := .Data}}
{{with .Data.Who}}<p>{{$.T "portal.hello"}} <strong>{{.Attributes.Name}}</strong> ({{$d.Class .Class $.Lang}})</p>
<ul><li><a href="/records">{{$.T "portal.records"}}</a></li>
<li><a href="/procedures">{{$.T "portal.procedures"}}</a></li>
<li><a href="/procedures?words={{$.T "portal.word-moving"}}">{{$.T "portal.moving"}}</a></li>
<li><a href="/applications">{{$.T "portal.applications"}}</a></li>
{{with $d.Tax}}<li><a href="{{.}}">{{$.T "portal.tax"}}</a></li>{{end}}</ul>
<form method="post" action="/leave"><button class="quiet">{{$.T "portal.leave"}}</button></form>
{{else}}<p>{{.T "portal.welcome"}}</p><p><a class="button" href="/visit">{{.T "portal.login"}}</a></p>
<p><a href="/procedures">{{.T "portal.procedures"}}</a></p>{{end}}{{end}}`)

var recordsPage = doorway.Template(`{{define "body"}}{{$p := .}}{{with .Data.Records}}
<h2 id="medicines">{{$p.T "portal.medicines"}}</h2><table><tr><th>{{$p.T "portal.date"}}</th><th>{{$p.T "portal.medicine"}}</th><th>{{$p.T "portal.dose"}}</th><th>{{$p.T "portal.days"}}</th><th>{{$p.T "portal.pharmacy"}}</th></tr>
{{range .Medicines}}<tr><td>{{.Date}}</td><td>{{.Name.In $p.Lang}}</td><td>{{.Dose.In $p.Lang}}</td><td>{{.Days}}</td><td>{{.Pharmacy.In $p.Lang}}</td></tr>{{else}}<tr><td colspan="5">{{$p.T "portal.nothing"}}</td></tr>{{end}}</table>
<h2 id="checkups">{{$p.T "portal.checkups"}}</h2><table><tr><th>{{$p.T "portal.date"}}</th><th>{{$p.T "portal.body"}}</th><th>{{$p.T "portal.pressure"}}</th><th>HbA1c (%)</th><th>LDL (mg/dL)</th><th>{{$p.T "portal.judgement"}}</th></tr>
{{range .Checkups}}<tr><td>{{.Date}}</td><td>{{printf "%.1f" .Height}} cm / {{printf "%.1f" .Weight}} kg</td><td>{{.Systolic}}/{{.Diastolic}}</td><td>{{printf "%.1f" .HbA1c}}</td><td>{{.LDL}}</td><td>{{.Judgement.In $p.Lang}}</td></tr>{{else}}<tr><td colspan="6">{{$p.T "portal.no-checkups"}}</td></tr>{{end}}</table>
<h2 id="handbook">{{$p.T "portal.handbook"}}</h2><table>{{range .Handbook}}<tr><td>{{.Date}}</td><td>{{.What.In $p.Lang}}</td></tr>{{else}}<tr><td>{{$p.T "portal.nothing"}}</td></tr>{{end}}</table>
<h2 id="notices">{{$p.T "portal.notices"}}</h2>{{range .Notices}}<h3>{{.Title.In $p.Lang}}</h3><p>{{.Date}}</p><p>{{.Body.In $p.Lang}}</p>{{else}}<p>{{$p.T "portal.nothing"}}</p>{{end}}{{end}}
<p><a href="/">{{.T "portal.back"}}</a></p>{{end}}`)

var searchPage = doorway.Template(`{{define "body"}}{{$p := .}}
<form method="get" action="/procedures"><label>{{.T "portal.words"}} <input name="words" value="{{.Data.Words}}" maxlength="60"></label>
<label>{{.T "portal.town"}} <select name="town"><option value="">{{.T "portal.all-towns"}}</option>{{range .Data.Towns}}<option value="{{.Code}}"{{if eq .Code $p.Data.Town}} selected{{end}}>{{.Name.In $p.Lang}}</option>{{end}}</select></label>
<button>{{.T "portal.search"}}</button></form>
<ul>{{range .Data.Found}}<li><a href="{{$p.Data.Action .ID}}">{{.Name.In $p.Lang}}</a>{{if .Signed}} ({{$p.T "portal.needs-signature"}}){{end}}</li>{{else}}<li>{{$p.T "portal.nothing"}}</li>{{end}}</ul>
<p><a href="/">{{.T "portal.back"}}</a></p>{{end}}`)

var formPage = doorway.Template(`{{define "body"}}{{$p := .}}<h2>{{.Data.Procedure.Name.In .Lang}}</h2>
<form method="post" action="/applications"><input type="hidden" name="procedure" value="{{.Data.Procedure.ID}}">
<label>{{.T "portal.to-town"}} <select name="town" required>{{range .Data.Towns}}<option value="{{.Code}}"{{if eq .Code $p.Data.Town}} selected{{end}}>{{.Name.In $p.Lang}}</option>{{end}}</select></label>
{{range .Data.Procedure.Ask}}<label>{{.Label.In $p.Lang}} <input name="answer-{{.Name}}" type="{{or .Kind "text"}}" value="{{index $p.Data.Answers .Name}}" maxlength="200" required></label>{{end}}
<button>{{if .Data.Procedure.Signed}}{{.T "portal.write"}}{{else}}{{.T "portal.submit"}}{{end}}</button></form>
<p><a href="/procedures">{{.T "portal.back-search"}}</a></p>{{end}}`)

var applicationPage = doorway.Template(`{{define "body"}}{{$d := .Data}}{{with .Data.Application}}
{{if .Receipt}}<div class="done" role="status"><p><strong>{{$.T "portal.submitted"}}</strong></p><p>{{$.T "portal.receipt"}} <code>{{.Receipt}}</code>{{if .Verification}} ({{$.T "portal.signed-with"}} {{$d.Class .Class $.Lang}}){{end}}</p></div>
{{if $d.Moving}}<h2>{{$.T "portal.town-hall"}}</h2><p>{{$.T "portal.town-hall-note"}}</p><p><a href="{{$d.Desk}}">{{$.T "portal.to-desk"}}</a> <code>warifu event move …</code></p>{{end}}
{{else}}<p>{{$.T "portal.please-sign"}}</p>{{end}}
<pre>{{.Form}}</pre>
{{if not .Receipt}}<p><a class="button" href="/applications/{{.ID}}/sign">{{$.T "portal.sign"}}</a></p>{{end}}{{end}}
<p><a href="/applications">{{.T "portal.applications"}}</a> · <a href="/">{{.T "portal.back"}}</a></p>{{end}}`)

var listPage = doorway.Template(`{{define "body"}}{{$p := .}}<table><tr><th>{{.T "portal.date"}}</th><th>{{.T "portal.procedure"}}</th><th>{{.T "portal.state"}}</th></tr>
{{range .Data.Applications}}<tr><td>{{$p.Data.Day .At}}</td><td><a href="/applications/{{.ID}}">{{$p.Data.Title .Procedure $p.Lang}}</a></td><td>{{if .Receipt}}{{$p.T "portal.state-submitted"}} <code>{{.Receipt}}</code>{{else}}{{$p.T "portal.state-draft"}}{{end}}</td></tr>{{else}}<tr><td colspan="3">{{$p.T "portal.nothing"}}</td></tr>{{end}}</table>
<p><a href="/">{{.T "portal.back"}}</a></p>{{end}}`)

// here is what a page knows of who looks at it.
func (p *Portal) here(r *http.Request) seen {
	s := seen{Tax: p.config.Tax, Desk: p.config.Desk, Towns: Towns()}
	if who, err := p.current(r); err == nil {
		s.Who = &who
	}
	return s
}

func (p *Portal) front(w http.ResponseWriter, r *http.Request) {
	doorway.Show(w, r, frontPage, "portal.title", p.here(r), nil)
}

// problem shows what went wrong on the way to the provider or back, above the first page.
func (p *Portal) problem(w http.ResponseWriter, r *http.Request, problem error) {
	doorway.Show(w, r, frontPage, "portal.title", p.here(r), problem)
}

// mine runs a page for who is logged in, and sends everybody else to log in and come back.
func (p *Portal) mine(w http.ResponseWriter, r *http.Request, page func(who visitor.Visitor, s *seen) error, shown func(s seen)) {
	s := p.here(r)
	if s.Who == nil {
		http.Redirect(w, r, "/visit?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	if err := page(*s.Who, &s); err != nil {
		p.problem(w, r, err)
		return
	}
	shown(s)
}

func (p *Portal) recordsPage(w http.ResponseWriter, r *http.Request) {
	p.mine(w, r, func(who visitor.Visitor, s *seen) (err error) {
		s.Records, err = p.records(who)
		return err
	}, func(s seen) { doorway.Show(w, r, recordsPage, "portal.records", s, nil) })
}

func (p *Portal) searchPage(w http.ResponseWriter, r *http.Request) {
	s := p.here(r)
	s.Words, s.Town = r.URL.Query().Get("words"), r.URL.Query().Get("town")
	var err error
	s.Found, err = Search(s.Words, s.Town)
	doorway.Show(w, r, searchPage, "portal.procedures", s, err)
}

func (p *Portal) formPage(w http.ResponseWriter, r *http.Request) {
	p.mine(w, r, func(_ visitor.Visitor, s *seen) error { return s.toForm(r.PathValue("id"), r.URL.Query().Get("town")) },
		func(s seen) { doorway.Show(w, r, formPage, "portal.apply", s, nil) })
}

// toForm fills in what the form of a procedure needs; only towns that take it are offered.
func (s *seen) toForm(id, town string) error {
	s.Town = town
	var towns []Town
	for _, t := range Towns() {
		procedure, _, err := find(id, t.Code)
		if err == nil {
			s.Procedure, towns = procedure, append(towns, t)
		}
	}
	s.Towns = towns
	if s.Procedure.ID == "" {
		_, _, err := find(id, "")
		return err
	}
	return nil
}

func (p *Portal) applyByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	in := Wish{Procedure: r.PostFormValue("procedure"), Town: r.PostFormValue("town"), Answers: map[string]string{}}
	who, err := p.current(r)
	if err != nil {
		p.problem(w, r, err)
		return
	}
	s := p.here(r)
	if err := s.toForm(in.Procedure, in.Town); err != nil {
		p.problem(w, r, err)
		return
	}
	for _, ask := range s.Procedure.Ask {
		in.Answers[ask.Name] = r.PostFormValue("answer-" + ask.Name)
	}
	a, err := p.apply(who, in)
	if err != nil {
		s.Answers = in.Answers // what was typed is not lost
		doorway.Show(w, r, formPage, "portal.apply", s, err)
		return
	}
	http.Redirect(w, r, "/applications/"+a.ID, http.StatusSeeOther)
}

func (p *Portal) listPage(w http.ResponseWriter, r *http.Request) {
	p.mine(w, r, func(who visitor.Visitor, s *seen) (err error) {
		s.Applications, err = p.of(who.Subject)
		return err
	}, func(s seen) { doorway.Show(w, r, listPage, "portal.applications", s, nil) })
}

func (p *Portal) applicationPage(w http.ResponseWriter, r *http.Request) {
	p.mine(w, r, func(who visitor.Visitor, s *seen) (err error) {
		s.Application, err = p.one(who.Subject, r.PathValue("id"))
		return err
	}, func(s seen) { doorway.Show(w, r, applicationPage, "portal.application", s, nil) })
}

func (p *Portal) signPage(w http.ResponseWriter, r *http.Request) {
	p.mine(w, r, func(who visitor.Visitor, _ *seen) error {
		address, err := p.sign(w, r, who, r.PathValue("id"))
		if err == nil {
			http.Redirect(w, r, address, http.StatusSeeOther)
		}
		return err
	}, func(seen) {})
}
