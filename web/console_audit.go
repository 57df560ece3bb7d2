package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/console"
)

// consoleAudit adds the auditors' pages.
func (s *site) consoleAudit(mux *http.ServeMux) {
	s.atConsole(mux, "GET /console/audit", atAudit, s.auditPage)
	s.atConsole(mux, "POST "+exportAddress, atAudit, s.exportAudit)
	s.atConsole(mux, "POST /console/audit/wholeness", atAudit, s.wholeness)
}

// auditFields are the fields of a search as a page has them.
type auditFields struct {
	From    string `json:"from,omitempty"`
	Until   string `json:"until,omitempty"`
	Actor   string `json:"actor,omitempty"`
	Verb    string `json:"verb,omitempty"`
	Subject string `json:"subject,omitempty"`
	Cause   string `json:"cause,omitempty"`
}

type auditView struct {
	auditFields
	Lines []auditRow
	Older string // the address of the page before; "" where there is none
	Asked bool   // not the first page of everything
	Wrong bool   // the search has a mistake: nothing was looked for
}

// auditRow is a line with its words in one order.
type auditRow struct {
	console.Line
	Seconds string   // of its minute: lines of one act lie close together
	Words   []string // "key: value"
}

func searchOf(v url.Values) auditFields {
	of := func(name string) string { return strings.TrimSpace(narrow(v.Get(name))) }
	return auditFields{of("from"), of("until"), of("actor"), of("verb"), of("subject"), of("cause")}
}

// search is what the fields ask for; Invalid "console-audit-malformed".
func (f auditFields) search(before string) (console.AuditSearch, error) {
	q := console.AuditSearch{Actor: f.Actor, Verb: f.Verb, Subject: f.Subject, Cause: f.Cause, Before: before}
	var err error
	if q.From, err = instantTyped(f.From); err != nil {
		return q, err
	}
	if q.Until, err = instantTyped(f.Until); err != nil {
		err = warifu.Invalid("console-audit-malformed", "field", "until")
	}
	return q, err
}

func (f auditFields) values() url.Values {
	out := url.Values{}
	for name, value := range map[string]string{"from": f.From, "until": f.Until, "actor": f.Actor, "verb": f.Verb, "subject": f.Subject, "cause": f.Cause} {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}

func (s *site) auditPage(w http.ResponseWriter, r *http.Request, o console.Operator) {
	asked := r.URL.Query()
	v := auditView{auditFields: searchOf(asked)}
	v.Asked = len(v.values()) > 0 || asked.Get("before") != ""
	q, err := v.search(asked.Get("before"))
	var page console.AuditPage
	if err == nil {
		page, err = s.Console.Audit(r.Context(), o, q)
	}
	if err != nil {
		v.Wrong = true
		s.consolePage(w, r, http.StatusOK, "audit", "console.audit.title", v, err)
		return
	}
	v.Lines = auditRows(page.Lines)
	if page.Next != "" {
		older := v.values()
		older.Set("before", page.Next)
		v.Older = "/console/audit?" + older.Encode()
	}
	s.consolePage(w, r, http.StatusOK, "audit", "console.audit.title", v, nil)
}

func auditRows(lines []console.Line) []auditRow {
	out := make([]auditRow, len(lines))
	for i, l := range lines {
		out[i].Line, out[i].Seconds = l, l.At.In(japan).Format("05.000")
		for _, key := range slices.Sorted(maps.Keys(l.Detail)) {
			out[i].Words = append(out[i].Words, key+": "+l.Detail[key])
		}
	}
	return out
}

// auditExport is an export of the audit trail.
type auditExport struct {
	ExportedAt time.Time     `json:"exportedAt"`
	Search     auditFields   `json:"search"`
	Next       string        `json:"next,omitempty"`
	Lines      []auditOfLine `json:"lines"`
}

type auditOfLine struct {
	ID      string            `json:"id"`
	At      time.Time         `json:"at"`
	Actor   string            `json:"actor"`
	Verb    string            `json:"verb"`
	Subject string            `json:"subject"`
	Cause   string            `json:"cause,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"`
}

func (s *site) exportAudit(w http.ResponseWriter, r *http.Request, o console.Operator) {
	f := searchOf(r.PostForm)
	q, err := f.search("")
	var page console.AuditPage
	if err == nil {
		page, err = s.Console.Export(r.Context(), o, q)
	}
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	out := auditExport{ExportedAt: s.Clock.Now(), Search: f, Next: page.Next, Lines: make([]auditOfLine, len(page.Lines))}
	for i, l := range page.Lines {
		out.Lines[i] = auditOfLine{l.ID, l.At, l.Actor, string(l.Verb), l.Subject, l.Cause, l.Detail}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.json"`)
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(out); err != nil {
		s.Log.WarnContext(r.Context(), "audit.json", "error", err.Error())
	}
}

func (s *site) wholeness(w http.ResponseWriter, r *http.Request, o console.Operator) {
	found, err := s.Console.Wholeness(r.Context(), o)
	if err != nil {
		s.consoleProblem(w, r, err)
		return
	}
	s.consolePage(w, r, http.StatusOK, "wholeness", "console.audit.chain", found, nil)
}
