package web

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"warifu"
	"warifu/console"
	"warifu/registration"
	"warifu/text"
)

// Bounds of what is asked and shown of causes.
const (
	maxCauseQuestion = 128
	maxCauseLines    = 500 // on a page; the file has all
)

type causesView struct {
	Asked, File string
	Lines       int
	More        bool // there is more than the page shows
	Trees       []causeView
}

// causeView is one line of a tree as a page shows it.
type causeView struct {
	registration.Cause
	Lang    text.Lang
	Asked   bool   // the line is about what was asked for
	Word    string // the verb
	Details []string
	Effects []causeView
}

// consoleCauses serves why something is as it is: the trees of causes in which an application,
// a credential, a serial number, a person's handle, a card event, a call or a line stands.
func (s *site) consoleCauses(mux *http.ServeMux) {
	if s.Overseen == nil {
		return
	}
	s.atConsole(mux, "GET /console/causes", atFigures, s.causesPage)
	s.atConsole(mux, "GET /console/causes.json", atFigures, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		trees, err := s.causes(r)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		s.download(w, r, "causes.json", trees)
	})
	s.atConsole(mux, "GET /console/causes.csv", atFigures, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		trees, err := s.causes(r)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		s.sheet(w, r, "causes.csv", []string{"line", "cause", "at", "actor", "verb", "subject", "detail"}, causeRows(trees, ""))
	})
}

func (s *site) causes(r *http.Request) ([]registration.Cause, error) {
	asked := strings.TrimSpace(narrow(r.URL.Query().Get("subject")))
	if asked == "" || len(asked) > maxCauseQuestion {
		return nil, warifu.Invalid("cause-question")
	}
	return s.Overseen.Causes(r.Context(), asked)
}

func (s *site) causesPage(w http.ResponseWriter, r *http.Request, _ console.Operator) {
	v := causesView{Asked: strings.TrimSpace(narrow(r.URL.Query().Get("subject")))}
	if v.Asked == "" {
		s.consolePage(w, r, http.StatusOK, "causes", "console.causes.title", v, nil)
		return
	}
	trees, err := s.causes(r)
	d := causeDrawing{lang: languageOf(r.Context()), asked: v.Asked}
	v.Trees = d.views(trees)
	v.Lines, v.More = d.seen, d.seen > maxCauseLines
	s.consolePage(w, r, http.StatusOK, "causes", "console.causes.title", v, err)
}

type causeDrawing struct {
	lang  text.Lang
	asked string
	seen  int
}

func (d *causeDrawing) views(trees []registration.Cause) (out []causeView) {
	for _, c := range trees {
		d.seen++
		v := causeView{Cause: c, Lang: d.lang, Asked: c.Subject == d.asked || c.ID == d.asked, Word: string(c.Verb)}
		for _, key := range []string{"console.cause." + v.Word, "word.verb." + v.Word} {
			if text.Has(key) {
				v.Word = text.Sentence(key, d.lang, nil)
				break
			}
		}
		for _, name := range slices.Sorted(maps.Keys(c.Detail)) {
			v.Details = append(v.Details, name+"="+c.Detail[name])
		}
		if c.Rule != "" {
			v.Details = append(v.Details, c.Rule)
		}
		shown := d.seen <= maxCauseLines
		v.Effects = d.views(c.Effects)
		if shown {
			out = append(out, v)
		}
	}
	return out
}

// causeRows are the trees as a table: each line names the one that it follows from.
func causeRows(trees []registration.Cause, above string) (rows [][]string) {
	for _, c := range trees {
		var details []string
		for _, name := range slices.Sorted(maps.Keys(c.Detail)) {
			details = append(details, name+"="+c.Detail[name])
		}
		cause := above
		if cause == "" {
			cause = c.Rule
		}
		rows = append(rows, []string{c.ID, cause, c.At.UTC().Format("2006-01-02T15:04:05.000Z"), c.Actor, string(c.Verb), c.Subject, strings.Join(details, " ")})
		rows = append(rows, causeRows(c.Effects, c.ID)...)
	}
	return rows
}
