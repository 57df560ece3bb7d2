package web

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"warifu"
	"warifu/catalogue"
	"warifu/console"
	"warifu/text"
)

// atCatalogue are who keeps the catalogue of devices.
var atCatalogue = []console.Role{console.Catalogue}

// Bounds of the catalogue's pages.
const (
	maxModelsShown  = 100
	maxModelsSearch = 100     // characters
	maxConsoleFile  = 1 << 20 // octets of a file sent with a form: as every request's
)

type catalogueView struct {
	Asked    string
	Models   []modelView
	All      int
	More     bool
	Problems []lineView
	Said     string
	Day      string // the list is shown as of this day
	List     catalogue.List
}

type modelView struct {
	catalogue.Model
	Refusal string // why it is not on today's list
	Listed  bool
}

type lineView struct {
	Line           int
	Column, Reason string
}

// consoleCatalogue serves the editor of the catalogue: entries, checks, import and export.
func (s *site) consoleCatalogue(mux *http.ServeMux) {
	s.atConsole(mux, "GET /console/catalogue", atCatalogue, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		s.cataloguePage(w, r, catalogueView{}, nil)
	})
	s.atConsole(mux, "GET /console/catalogue/model", atCatalogue, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		s.modelPage(w, r, r.URL.Query().Get("id"), nil, "", nil)
	})
	s.atConsole(mux, "POST /console/catalogue/model", atCatalogue, s.saveModel)
	s.atConsole(mux, "POST /console/catalogue/check", atCatalogue, s.recordCheck)
	s.atConsole(mux, "POST /console/catalogue/import", atCatalogue, s.importCatalogue)
	s.atConsole(mux, "GET /console/catalogue.csv", atCatalogue, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="catalogue.csv"`)
		if err := s.Catalogue.Export(w); err != nil {
			s.Log.DebugContext(r.Context(), "catalogue.csv", "error", err.Error())
		}
	})
	s.atConsole(mux, "GET /console/catalogue.json", atCatalogue, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		s.download(w, r, "catalogue.json", s.Catalogue.All())
	})
	s.consoleSubmissions(mux)
}

func (s *site) cataloguePage(w http.ResponseWriter, r *http.Request, v catalogueView, problem error) {
	v.Asked = strings.TrimSpace(r.URL.Query().Get("q"))
	if q := []rune(v.Asked); len(q) > maxModelsSearch {
		v.Asked = string(q[:maxModelsSearch])
	}
	day, err := s.day(r.URL.Query().Get("day"))
	if err != nil {
		problem = err
	}
	v.Day, v.All, v.List = string(day), s.Catalogue.Len(), s.Catalogue.List(day)
	found := s.Catalogue.Search(v.Asked, maxModelsShown+1)
	v.More = len(found) > maxModelsShown
	for _, m := range found[:min(len(found), maxModelsShown)] {
		v.Models = append(v.Models, s.modelView(m, languageOf(r.Context())))
	}
	s.consolePage(w, r, http.StatusOK, "catalogue", "console.catalogue.title", v, problem)
}

func (s *site) modelView(m catalogue.Model, lang text.Lang) modelView {
	v := modelView{Model: m, Listed: true}
	if err := s.Catalogue.Refusal(m); err != nil {
		v.Listed = false
		v.Refusal, _, _ = text.Problem(warifu.ProblemOf(err), lang)
	}
	return v
}

type modelPageView struct {
	modelView
	New            bool
	Said           string
	Seen           string // the mark of the entry that the form began with
	Others         []otherView
	Names, Selling string // lists as they are typed: one a line
	Platforms      []string
	Markets        []string
	Biometrics     []string
	NFCs           []string
}

// modelPage shows one entry with its records; with an empty identifier a new one's form. given
// is what was typed and not taken.
func (s *site) modelPage(w http.ResponseWriter, r *http.Request, id string, given *catalogue.Model, said string, problem error) {
	v := modelPageView{Said: said, New: id == "", Platforms: []string{"android", "ios"}, Markets: []string{"japan", "global"},
		Biometrics: []string{"class3", "class2", "class1", "none"}, NFCs: []string{"mark", "top", "camera", "centre", "manual"}}
	m := catalogue.Model{Platform: catalogue.Android, SecureElement: true, Market: catalogue.MarketJapan, Biometric: catalogue.BiometricClass3, NFC: catalogue.NFCMark, Verification: catalogue.Verification{Result: catalogue.Pending}}
	if !v.New {
		known, err := s.Catalogue.Model(id)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		m, v.Seen = known, known.Mark()
	}
	if given != nil {
		if !v.New && warifu.ProblemOf(problem).Problem == "model-edited" {
			v.Others = otherwise(m, *given, languageOf(r.Context()))
		}
		given.Verification, given.Earlier, given.Revised = m.Verification, m.Earlier, m.Revised
		m = *given
	}
	v.modelView = modelView{Model: m}
	if !v.New {
		v.modelView = s.modelView(m, languageOf(r.Context()))
	}
	v.Names, v.Selling = strings.Join(m.Names, "\n"), strings.Join(m.Carriers, "\n")
	s.consolePage(w, r, http.StatusOK, "model", "console.model.title", v, problem)
}

// otherView is what another editor has in a field that this one has otherwise.
type otherView struct{ Key, Now string }

// otherwise lists where the entry as it stands now is not what was typed.
func otherwise(now, typed catalogue.Model, lang text.Lang) (out []otherView) {
	say := func(key string) string { return text.Sentence(key, lang, nil) }
	lines := func(s []string) string { return strings.Join(s, " / ") }
	yes := map[bool]string{true: "console.yes", false: "console.no"}
	for _, f := range []struct {
		key  string
		same bool
		now  string
	}{
		{"maker", now.Maker == typed.Maker, now.Maker},
		{"names", slices.Equal(now.Names, typed.Names), lines(now.Names)},
		{"carriers", slices.Equal(now.Carriers, typed.Carriers), lines(now.Carriers)},
		{"platform", now.Platform == typed.Platform, say("console.model.platform." + string(now.Platform))},
		{"market", now.Market == typed.Market, say("console.model.market." + string(now.Market))},
		{"secure-element", now.SecureElement == typed.SecureElement, say(yes[now.SecureElement])},
		{"biometric", now.Biometric == typed.Biometric, say("console.model.biometric." + string(now.Biometric))},
		{"nfc", now.NFC == typed.NFC, say("word.nfc." + string(now.NFC))},
		{"since", now.Since == typed.Since, string(now.Since)},
		{"min-build", now.MinOSBuild == typed.MinOSBuild, now.MinOSBuild},
		{"min-app", now.MinAppVersion == typed.MinAppVersion, strconv.Itoa(now.MinAppVersion)},
	} {
		if !f.same {
			out = append(out, otherView{"console.model." + f.key, f.now})
		}
	}
	return out
}

// typedModel reads an entry from its form.
func typedModel(r *http.Request) (catalogue.Model, error) {
	f := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	lines := func(name string) (out []string) {
		for line := range strings.Lines(r.PostForm.Get(name)) {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
		return out
	}
	m := catalogue.Model{
		ID: f("id"), Maker: f("maker"), Names: lines("names"), Platform: catalogue.Platform(f("platform")), SecureElement: f("secureElement") != "",
		Market: catalogue.Market(f("market")), Carriers: lines("carriers"), Since: catalogue.Date(f("since")), MinOSBuild: narrow(f("minOSBuild")),
		Biometric: catalogue.Biometric(f("biometric")), NFC: catalogue.NFC(f("nfc")),
	}
	var err error
	if v := narrow(f("minAppVersion")); v != "" {
		if m.MinAppVersion, err = strconv.Atoi(v); err != nil {
			return m, warifu.Invalid("model-invalid", "field", "minAppVersion")
		}
	}
	return m, nil
}

func (s *site) saveModel(w http.ResponseWriter, r *http.Request, o console.Operator) {
	m, err := typedModel(r)
	was := r.PostForm.Get("was") // the identifier of the entry that is edited; empty: a new one
	if err == nil && was != "" && !strings.EqualFold(was, m.ID) {
		err = warifu.Invalid("model-invalid", "field", "id")
	}
	if err == nil {
		_, err = s.Catalogue.SaveOver(r.Context(), m, r.PostForm.Get("seen"), "operator:"+o.Name)
	}
	if err != nil {
		s.modelPage(w, r, was, &m, "", err)
		return
	}
	s.modelPage(w, r, m.ID, nil, "console.model.saved", nil)
}

func (s *site) recordCheck(w http.ResponseWriter, r *http.Request, o console.Operator) {
	id := r.PostForm.Get("id")
	v := catalogue.Verification{
		By: strings.TrimSpace(r.PostForm.Get("by")), On: catalogue.Date(strings.TrimSpace(r.PostForm.Get("on"))),
		Result: catalogue.Result(r.PostForm.Get("result")), OSBuild: narrow(strings.TrimSpace(r.PostForm.Get("osBuild"))),
	}
	if _, err := s.Catalogue.Record(r.Context(), id, v, "operator:"+o.Name); err != nil {
		s.modelPage(w, r, id, nil, "", err)
		return
	}
	s.modelPage(w, r, id, nil, "console.model.recorded", nil)
}

// importCatalogue takes a CSV file whole or not at all, or looks at it alone.
func (s *site) importCatalogue(w http.ResponseWriter, r *http.Request, o console.Operator) {
	file, _, err := r.FormFile("file")
	if err != nil {
		s.cataloguePage(w, r, catalogueView{}, warifu.Invalid("console-file-missing"))
		return
	}
	defer func() { _ = file.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(http.MaxBytesReader(w, file, maxConsoleFile)); err != nil {
		s.cataloguePage(w, r, catalogueView{}, warifu.TooLarge("csv-too-large", "limit", "1"))
		return
	}
	v := catalogueView{Said: "console.catalogue.imported"}
	var problems []catalogue.LineProblem
	if r.PostForm.Get("only") != "" {
		v.Said = "console.catalogue.checked"
		_, problems, err = catalogue.ParseCSV(&b)
		if err == nil && len(problems) > 0 {
			err = warifu.Invalid("csv-refused", "count", strconv.Itoa(len(problems)), "line", strconv.Itoa(problems[0].Line))
		}
	} else {
		problems, err = s.Catalogue.Import(r.Context(), &b, "operator:"+o.Name)
	}
	if err != nil {
		v.Said = ""
	}
	for _, p := range problems {
		title, detail, _ := text.Problem(warifu.ProblemOf(p.Err), languageOf(r.Context()))
		if detail != "" {
			title = detail
		}
		v.Problems = append(v.Problems, lineView{p.Line, p.Column, title})
	}
	s.cataloguePage(w, r, v, err)
}
