package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/catalogue"
	"warifu/face"
)

type listInput struct {
	Day string `query:"day" maxLength:"10" doc:"Date in Japan, 2023-05-11; empty for today"`
}

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         catalogue.List
}

// listCaching: the list is the same for everybody and changes by the day.
const listCaching = "public, max-age=300"

type bannerInput struct {
	Model      string `query:"model" required:"true" maxLength:"128"`
	OSBuild    string `query:"osBuild" maxLength:"128"`
	AppVersion int    `query:"appVersion" minimum:"0" maximum:"1000000"`
}

type bannerOutput struct {
	Body struct {
		Show  bool     `json:"show" doc:"Whether the app shows the shortcut at all (R21, R22)"`
		First *Problem `json:"first,omitempty" doc:"What must be updated before one may apply (R19, R20)"`
	}
}

type submitInput struct {
	Body struct {
		Role         catalogue.Role  `json:"role" enum:"maker,carrier"`
		Organisation string          `json:"organisation" minLength:"1" maxLength:"128"`
		Model        catalogue.Model `json:"model"`
	}
}

type submitOutput struct {
	Body struct {
		ID    string          `json:"id"`
		State catalogue.State `json:"state"`
	}
}

// devices serves the public, dated list (R16), the banner rule (R21, R22) and the
// door by which makers and carriers submit a model (R17).
func (s *site) devices(api huma.API, mux *http.ServeMux) {
	register(s, api, http.MethodGet, "/api/v1/devices", "devices", "The dated list of devices that may carry certificates", http.StatusOK, s.list)
	register(s, api, http.MethodGet, "/api/v1/devices/banner", "banner", "What the app's top screen shows a device", http.StatusOK, s.banner)
	register(s, api, http.MethodPost, "/api/v1/devices/submissions", "submit-device", "Submit a model for verification", http.StatusAccepted, s.submit)
	mux.HandleFunc("GET /devices", s.devicesPage)
	mux.HandleFunc("GET /devices.csv", s.devicesCSV)
}

func (s *site) day(given string) (catalogue.Date, error) {
	d := catalogue.Date(given)
	if given != "" && !d.Valid() {
		return "", warifu.Invalid("request-malformed")
	}
	return d, nil
}

func (s *site) list(_ context.Context, in *listInput) (*listOutput, error) {
	day, err := s.day(in.Day)
	if err != nil {
		return nil, err
	}
	return &listOutput{listCaching, s.Catalogue.List(day)}, nil
}

func (s *site) banner(ctx context.Context, in *bannerInput) (*bannerOutput, error) {
	b := s.Catalogue.Banner(in.Model, in.OSBuild, in.AppVersion)
	out := &bannerOutput{}
	out.Body.Show = b.Show
	if b.First != nil {
		out.Body.First = problemOf(b.First, languageOf(ctx))
	}
	return out, nil
}

func (s *site) submit(ctx context.Context, in *submitInput) (*submitOutput, error) {
	id, err := s.NewID()
	if err != nil {
		return nil, err
	}
	made, err := s.Catalogue.Submit(ctx, id, in.Body.Role, in.Body.Organisation, in.Body.Model)
	if err != nil {
		return nil, err
	}
	out := &submitOutput{}
	out.Body.ID, out.Body.State = made.ID, made.State
	return out, nil
}

func (s *site) devicesPage(w http.ResponseWriter, r *http.Request) {
	day, err := s.day(r.URL.Query().Get("day"))
	if err != nil {
		s.problemPage(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", listCaching)
	s.page(w, r, http.StatusOK, "devices", "face.devices.title", s.Catalogue.List(day))
}

func (s *site) devicesCSV(w http.ResponseWriter, r *http.Request) {
	day, err := s.day(r.URL.Query().Get("day"))
	if err != nil {
		writeProblem(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", listCaching)
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="devices.csv"`)
	if err := catalogue.WriteCSV(w, s.Catalogue.List(day).Models); err != nil {
		s.Log.WarnContext(r.Context(), "devices.csv", "error", err.Error())
	}
}

func (s *site) page(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) {
	s.show(w, r, status, name, face.Page{Title: title, Data: data})
}

// show is page for one that says more of itself.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, name string, p face.Page) {
	s.write(w, r, status, name, func(r *http.Request) ([]byte, error) {
		p.Lang = readersLanguage(r)
		if d, able := p.Data.(spoken); able {
			p.Data = d.in(p.Lang)
		}
		return face.Drawn(r, name, p)
	})
}

func (s *site) problemPage(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err, languageOf(r.Context()))
	// The page says nothing again of what was asked, not even in the addresses of its languages.
	r = r.Clone(r.Context())
	r.URL.RawQuery = ""
	s.page(w, r, p.Status, "problem", "face.problem.title", p)
}
