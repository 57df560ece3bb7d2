package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/catalogue"
	"warifu/console"
	"warifu/text"
)

// maxDecided is how many decided submissions a page shows; the file has all.
const maxDecided = 50

type submissionsView struct {
	catalogue.Support
	MedianDays, LongestDays, WaitingDays string
	Open                                 []catalogue.Submission
	Decided                              []decidedView
	Said                                 string
}

type decidedView struct {
	catalogue.Submission
	Days string // from when it came to when it was decided
}

// consoleSubmissions serves the inbox of models that makers and carriers submitted (R17), and how
// long they waited (R18).
func (s *site) consoleSubmissions(mux *http.ServeMux) {
	s.atConsole(mux, "GET /console/submissions", atCatalogue, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		s.submissionsPage(w, r, "", nil)
	})
	s.atConsole(mux, "POST /console/submissions", atCatalogue, s.decideSubmission)
	s.atConsole(mux, "GET /console/submissions.json", atCatalogue, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		all, err := s.submissions(r)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		s.download(w, r, "submissions.json", all)
	})
	s.atConsole(mux, "GET /console/submissions.csv", atCatalogue, func(w http.ResponseWriter, r *http.Request, _ console.Operator) {
		all, err := s.submissions(r)
		if err != nil {
			s.consoleProblem(w, r, err)
			return
		}
		var rows [][]string
		for _, b := range all {
			decided := ""
			if !b.DecidedAt.IsZero() {
				decided = b.DecidedAt.UTC().Format(time.RFC3339)
			}
			rows = append(rows, []string{b.ID, string(b.Role), b.Organisation, b.Model.ID, b.Model.Maker, b.Model.Name(), string(b.State), b.SubmittedAt.UTC().Format(time.RFC3339), decided, b.Reason})
		}
		s.sheet(w, r, "submissions.csv", []string{"id", "role", "organisation", "model", "maker", "name", "state", "submittedAt", "decidedAt", "reason"}, rows)
	})
}

// submissions are all, the open ones first.
func (s *site) submissions(r *http.Request) (out []catalogue.Submission, err error) {
	for _, state := range []catalogue.State{catalogue.Open, catalogue.Accepted, catalogue.Refused} {
		list, err := s.Catalogue.Submissions(r.Context(), state)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func (s *site) submissionsPage(w http.ResponseWriter, r *http.Request, said string, problem error) {
	lang := languageOf(r.Context())
	support, err := s.Catalogue.Support(r.Context())
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	all, err := s.submissions(r)
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	v := submissionsView{Support: support, Said: said, MedianDays: days(support.Median, lang), LongestDays: days(support.Longest, lang), WaitingDays: days(support.OldestWaiting, lang)}
	for _, b := range all {
		if b.State == catalogue.Open {
			v.Open = append(v.Open, b)
		} else {
			v.Decided = append(v.Decided, decidedView{b, days(b.DecidedAt.Sub(b.SubmittedAt), lang)})
		}
	}
	v.Decided = v.Decided[:min(len(v.Decided), maxDecided)]
	s.consolePage(w, r, http.StatusOK, "submissions", "console.submissions.title", v, problem)
}

// days says a length of time in days, with a tenth.
func days(d time.Duration, lang text.Lang) string {
	return text.Sentence("console.submissions.days", lang, map[string]string{"n": strconv.FormatFloat(d.Hours()/24, 'f', 1, 64)})
}

func (s *site) decideSubmission(w http.ResponseWriter, r *http.Request, o console.Operator) {
	f := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	d := catalogue.Decision{By: f("by"), Actor: "operator:" + o.Name, Result: catalogue.Result(f("result")), Reason: f("reason"), MinOSBuild: narrow(f("minOSBuild")), OSBuild: narrow(f("osBuild"))}
	if v := narrow(f("minAppVersion")); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			s.submissionsPage(w, r, "", warifu.Invalid("model-invalid", "field", "minAppVersion"))
			return
		}
		d.MinAppVersion = n
	}
	if _, err := s.Catalogue.Decide(r.Context(), f("id"), d); err != nil {
		s.submissionsPage(w, r, "", err)
		return
	}
	s.submissionsPage(w, r, "console.submissions.decided", nil)
}
