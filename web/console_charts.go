package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"time"

	"warifu"
	"warifu/console"
	"warifu/face"
	"warifu/text"
)

// atFigures are who looks at how the service is doing and why something is as it is.
var atFigures = []console.Role{console.Registrar, console.Auditor, console.Administrator}

type figuresView struct {
	Figures
	Charts   []face.Chart
	Rankings []face.Ranking
	Packings []packingView
}

type packingView struct {
	Packing
	Key string
}

// Seconds is about how much longer it is built.
func (p packingView) Seconds() int { return int(p.Left.Round(time.Second) / time.Second) }

// consoleCharts serves the figures of the service: as charts that follow what happens, and as
// JSON and CSV.
func (s *site) consoleCharts(mux *http.ServeMux) {
	if s.Overseen == nil {
		return
	}
	s.atConsole(mux, "GET /console/figures", atFigures, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		f, err := s.Overseen.Figures(r.Context())
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		s.consolePage(w, r, http.StatusOK, "figures", "console.figures.title", s.figuresView(f, languageOf(r.Context())), nil)
	})
	s.atConsole(mux, "GET /console/figures.json", atFigures, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		f, err := s.Overseen.Figures(r.Context())
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		s.download(w, r, "figures.json", f)
	})
	s.atConsole(mux, "GET /console/figures/{chart}", atFigures, s.figuresCSV)
}

func (s *site) figuresView(f Figures, lang text.Lang) figuresView {
	v := figuresView{Figures: f, Charts: s.charts(f, lang), Rankings: rankings(f, lang)}
	for _, p := range f.Packing {
		v.Packings = append(v.Packings, packingView{p, "console.figures.packing." + p.What + "." + p.Authority})
	}
	return v
}

// figuresCSV hands out the table of one chart.
func (s *site) figuresCSV(w http.ResponseWriter, r *http.Request, _ console.Operator) {
	f, err := s.Overseen.Figures(r.Context())
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	name, lang := r.PathValue("chart"), languageOf(r.Context())
	for _, c := range s.charts(f, lang) {
		if c.Export == "/console/figures/"+name {
			s.sheet(w, r, name, c.Head, c.Rows)
			return
		}
	}
	for _, c := range rankings(f, lang) {
		if c.Export == "/console/figures/"+name {
			s.sheet(w, r, name, c.Head, c.Rows())
			return
		}
	}
	s.consoleProblem(w, r, warifu.NotFound("page-unknown"))
}

// download hands out a value as a file of JSON.
func (s *site) download(w http.ResponseWriter, r *http.Request, name string, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		s.Log.DebugContext(r.Context(), "download", "name", name, "error", err.Error())
	}
}

// sheet hands out a table as CSV with a byte order mark, so that spreadsheets read it. A cell
// that one would run as a formula is kept from it by an apostrophe.
func (s *site) sheet(w http.ResponseWriter, r *http.Request, name string, head []string, rows [][]string) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, err := w.Write([]byte("\ufeff"))
	c := csv.NewWriter(w)
	for _, row := range append([][]string{head}, rows...) {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = spared(cell)
		}
		if err == nil {
			err = c.Write(safe)
		}
	}
	c.Flush()
	if err == nil {
		err = c.Error()
	}
	if err != nil {
		s.Log.DebugContext(r.Context(), "sheet", "name", name, "error", err.Error())
	}
}

// spared keeps a cell from being run as a formula.
func spared(cell string) string {
	if cell == "" {
		return ""
	}
	switch cell[0] {
	case '=', '+', '-', '@', '\'', '\t', '\r':
		return "'" + cell
	}
	return cell
}
