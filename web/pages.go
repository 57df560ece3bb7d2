package web

import (
	"net/http"
	"regexp"

	"warifu"
	"warifu/face"
	"warifu/registration"
)

type place struct{ Address, Key string }

// audience is one of those whom the server is for, with the ways that are theirs.
type audience struct {
	Name, Icon string
	Ways       []place
}

// audiences are all there are: holders, relying parties, operators, developers.
func (s *site) audiences() []audience {
	holders := []place{{"/devices", "face.home.devices"}, {"/clean-proofs", "face.home.clean"}, {"/docs", "face.home.docs"}}
	if s.Login != nil && s.Login.Own != nil {
		holders = append([]place{{"/mine", "face.home.mine"}}, holders...)
	}
	operators := []place{{"/readyz", "face.home.ready"}, {"/docs", "face.home.docs-operators"}}
	if s.Console != nil {
		operators = append([]place{{"/console", "face.home.console"}}, operators...)
	}
	return []audience{
		{"holders", "person", holders},
		{"parties", "search", []place{{"/docs", "face.home.docs-parties"}, {"/.well-known/openid-configuration", "face.home.discovery"}}},
		{"operators", "lock", operators},
		{"developers", "info", []place{{"/api/docs", "face.home.api"}, {"/api/openapi.json", "face.home.openapi"}}},
	}
}

var applicationID = regexp.MustCompile(`^a[a-z2-7]{26}$`)

// pages serves the plain pages: a start page and, for who forbade notices, where
// an application stands (R43).
func (s *site) pages(mux *http.ServeMux) {
	mux.Handle("GET /assets/", face.Assets())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, http.StatusOK, "home", "face.home.title", s.audiences())
	})
	mux.HandleFunc("GET /applications/{id}", s.applicationPage)
	s.cleanPages(mux)
	s.lostPages(mux)
	s.minePages(mux)
}

type applicationView struct {
	registration.Application
	Key     string
	Problem *Problem
}

func (s *site) applicationPage(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !applicationID.MatchString(id) {
		s.problemPage(w, r, warifu.NotFound("application-unknown"))
		return
	}
	a, err := s.Registration.Application(r.Context(), id)
	if err != nil {
		s.problemPage(w, r, err)
		return
	}
	v := applicationView{Application: a, Key: "face.application." + string(a.State)}
	if a.Problem != "" {
		v.Problem = problemOf(warifu.Refused(a.Problem), languageOf(r.Context()))
	}
	s.page(w, r, http.StatusOK, "application", "face.application.title", v)
}
