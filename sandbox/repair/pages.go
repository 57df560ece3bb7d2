package repair

import (
	"net/http"
	"net/url"

	"warifu/face"
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
		_, err := s.intake(r.Context(), id, Intake{Until: r.FormValue("until"), Endless: r.FormValue("endless") != "", Unseen: r.FormValue("unseen") != ""})
		return err
	}))
	mux.HandleFunc("POST /repairs/{id}/delay", s.form(func(r *http.Request, id string) error {
		_, err := s.delay(r.Context(), id, Delay{Ready: r.FormValue("ready"), Until: r.FormValue("until")})
		return err
	}))
	mux.HandleFunc("POST /repairs/{id}/return", s.form(func(r *http.Request, id string) error {
		_, err := s.giveBack(r.Context(), id, Claimed{doorway.Plain(r.FormValue("claim")), doorway.Plain(r.FormValue("imei"))})
		return err
	}))
	mux.HandleFunc("POST /repairs/{id}/orders", s.form(func(*http.Request, string) error { return s.refuseOrder() }))
}

var frontPage = face.Place("repair/front")

// frontData is the first page, with what was typed where it was refused.
type frontData struct {
	Config
	Title, IMEI, Ready string
}

func (s *Shop) front(w http.ResponseWriter, r *http.Request, problem error) {
	data := frontData{Config: s.config}
	if r.Method == http.MethodPost {
		data.Title, data.IMEI, data.Ready = r.PostFormValue("title"), r.PostFormValue("imei"), r.PostFormValue("ready")
	}
	doorway.Show(w, r, frontPage, "repair.title", data, problem)
}

var jobPage = face.Place("repair/job")

type jobData struct {
	Job          Job
	Claim, Phone string
}

// Blames says which field a problem is about.
func (jobData) Blames(problem string) string {
	switch problem {
	case "repair-claim-wrong", "repair-claim-locked":
		return "claim"
	case "repair-hold-short":
		return "until"
	}
	return ""
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
	receipt, err := s.hand(Handed{r.FormValue("title"), doorway.Plain(r.FormValue("imei")), r.FormValue("ready")})
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
