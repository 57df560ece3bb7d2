package portal

import (
	"net/http"
	"net/url"
	"time"

	"warifu/face"
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
	Mine         string // the holder's own pages, at the issuer
}

// Class says what somebody logged in with.
func (s seen) Class(class string, l text.Lang) string { return visitor.ClassWord(class, l) }

// On writes a day of the records, "2026-05-11", for people; what is none is shown as it is.
func (seen) On(date string, l text.Lang) string {
	at, err := time.ParseInLocation(day, date, visitor.Tokyo)
	if err != nil {
		return date
	}
	return face.Date(at, l)
}

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

var frontPage = face.Place("portal/front")

var recordsPage = face.Place("portal/records")

var searchPage = face.Place("portal/search")

var formPage = face.Place("portal/form")

var applicationPage = face.Place("portal/application")

var listPage = face.Place("portal/list")

// here is what a page knows of who looks at it.
func (p *Portal) here(r *http.Request) seen {
	s := seen{Tax: p.config.Tax, Desk: p.config.Desk, Towns: Towns()}
	if at := p.config.Checks.Address; at != "" {
		s.Mine = at + "/mine"
	}
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
