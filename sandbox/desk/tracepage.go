package desk

import (
	"net/http"

	"warifu/sandbox/doorway"
	"warifu/sandbox/trace"
	"warifu/text"
)

var tracePage = page("trace")

// maxSteps is how many steps the page shows.
const maxSteps = 30

// traceData is what passed lately.
type traceData struct {
	view
	Steps []trace.Step
	Looks bool // those that only looked at a page too
	More  int
	lang  text.Lang
}

// Means is what an entry is, in the reader's language.
func (d traceData) Means(e trace.Entry) string { return text.Sentence(e.Means, d.lang, e.Params) }

func (d *Desk) traceOf(w http.ResponseWriter, r *http.Request) {
	data := traceData{view: d.view(r, "/trace"), Looks: r.URL.Query().Get("looks") != "", lang: doorway.Lang(r)}
	for _, s := range d.config.Trace.Steps(0) {
		switch {
		case !s.Acts() && !data.Looks:
		case len(data.Steps) == maxSteps:
			data.More++
		default:
			data.Steps = append(data.Steps, s)
		}
	}
	doorway.Show(w, r, tracePage, "desk.trace-title", data, nil)
}

func (d *Desk) clearTrace(w http.ResponseWriter, r *http.Request) {
	d.config.Trace.Clear()
	http.Redirect(w, r, "/trace", http.StatusSeeOther)
}
