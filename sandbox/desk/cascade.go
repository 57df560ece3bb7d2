package desk

import (
	"slices"
	"strings"
	"time"

	"warifu/registration"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// CascadeLines draws trees of causes as lines for people, each as deep as it lies in its
// tree, the times in Tokyo's or the machine's zone as they come.
func CascadeLines(trees []registration.Cause, lang text.Lang) []string {
	var out []string
	var draw func(c registration.Cause, depth int)
	draw = func(c registration.Cause, depth int) {
		out = append(out, strings.Repeat("  ", depth)+causeLine(c, lang))
		for _, e := range c.Effects {
			draw(e, depth+1)
		}
	}
	for _, tree := range trees {
		draw(tree, 0)
	}
	return out
}

// causeLine is one line of the audit trail: when, who, what, of what, why.
func causeLine(c registration.Cause, lang text.Lang) string {
	verb := string(c.Verb)
	if key := "desk.verb-" + verb; text.Has(key) {
		verb = text.Sentence(key, lang, nil)
	}
	parts := []string{c.At.UTC().Format(time.RFC3339), verb, c.Subject}
	var details []string
	for k, v := range c.Detail {
		details = append(details, k+"="+v)
	}
	slices.Sort(details)
	if c.Rule != "" {
		details = append(details, c.Rule)
	}
	if len(details) > 0 {
		parts = append(parts, "("+strings.Join(details, ", ")+")")
	}
	return strings.Join(append(parts, "["+c.Actor+"]"), " ")
}

// eventData is what the page after an event shows.
type eventData struct {
	Happened
	Lines []string
}

var eventPage = doorway.Template(`{{define "body"}}
<p class="done">{{.Data.Name}} <code>{{.Data.ID}}</code> {{.Data.Address}} {{.Data.State}}</p>
<h2>{{.T "desk.cascade"}}</h2><p>{{.T "desk.cascade-note"}}</p>
{{if .Data.Lines}}<pre id="cascade">{{range .Data.Lines}}{{.}}
{{end}}</pre>{{else}}<p>{{.T "desk.cascade-none"}}</p>{{end}}
<p><a href="/">{{.T "desk.back"}}</a></p>
{{end}}`)
