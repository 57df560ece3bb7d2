package doctor

import (
	"html/template"
	"io"

	"warifu/text"
)

// page is self-contained: no script, no font, no address of anybody's. Everything that
// came from outside is in a note and is escaped by the template.
var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Head}}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #8886; }
td:first-child { white-space: nowrap; font-weight: 600; }
.fault td:first-child, .unclear td:first-child { color: #b3261e; }
.advice td:first-child { color: #8a5a00; }
.pass td:first-child { color: #1b6e3c; }
.skipped { opacity: .75; }
code { font-size: .9em; }
p { margin: .2rem 0; }
@media (prefers-color-scheme: dark) {
 .fault td:first-child, .unclear td:first-child { color: #ffb4ab; }
 .advice td:first-child { color: #ffcf7d; }
 .pass td:first-child { color: #8fd8a8; }
}
</style>
</head>
<body>
<h1>{{.Head}}</h1>
<p>{{.Target}} · <time datetime="{{.Stamp}}">{{.Stamp}}</time></p>
<p><strong>{{.Summary}}</strong></p>
<table>
<thead><tr>{{range .Columns}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>
{{range .Rows}}<tr class="{{.Outcome}}" id="{{.ID}}">
<td>{{.Word}}</td>
<td><code>{{.ID}}</code></td>
<td><p>{{.Title}}</p>{{with .Seen}}<p>{{.}}</p>{{end}}{{with .Mend}}<p><strong>→ {{.}}</strong></p>{{end}}</td>
<td>{{.Clause}}</td>
</tr>
{{end}}</tbody>
</table>
</body>
</html>
`))

type pageRow struct {
	ID, Word, Title, Seen, Mend, Clause string
	Outcome                             Outcome
}

// WriteHTML writes the report as one page that needs nothing else.
func (r Report) WriteHTML(w io.Writer, l text.Lang) error {
	var rows []pageRow
	for _, c := range r.Results {
		row := pageRow{ID: c.ID, Word: c.Outcome.Word(l), Title: c.Title(l), Seen: c.Seen(l), Clause: c.Clause, Outcome: c.Outcome}
		if c.wants() {
			row.Mend = c.Mend(l)
		}
		rows = append(rows, row)
	}
	say := func(key string) string { return text.Sentence(key, l, nil) }
	return page.Execute(w, map[string]any{
		"Lang": l, "Head": "warifu doctor " + r.Suite, "Target": r.Target, "Stamp": r.Began.UTC().Format("2006-01-02T15:04:05Z"),
		"Summary": r.Summary(l), "Rows": rows,
		"Columns": []string{say("doctor.column-outcome"), say("doctor.column-case"), say("doctor.column-what"), say("doctor.column-clause")},
	})
}
