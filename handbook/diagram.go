package handbook

import (
	"html/template"
	"io"
	"regexp"
	"strings"

	"warifu/text"
)

// arrow finds "a --> b : label" and "A->>B: label" of a Mermaid diagram; named finds
// "participant A as the card".
var (
	arrow = regexp.MustCompile(`^\s*(\S+?)\s*-{1,2}>{1,2}\s*([^\s:]+)\s*(?::\s*(.*))?$`)
	named = regexp.MustCompile(`^\s*participant\s+(\S+)\s+as\s+(.+)$`)
)

// diagram tells a Mermaid diagram as a table of its arrows, which needs no script to draw,
// is read aloud in order and can be searched.
func (r *rendering) diagram(w io.StringWriter, lines string) error {
	say := func(key string) string { return template.HTMLEscapeString(text.Sentence(key, r.lang, nil)) }
	names := map[string]string{"[*]": "●"}
	name := func(s string) string {
		if long, ok := names[s]; ok {
			s = long
		}
		return template.HTMLEscapeString(s)
	}
	var b strings.Builder
	b.WriteString(`<div class="scroll" tabindex="0" role="group" aria-label="` + say("documentation.diagram") + `"><table class="diagram"><thead><tr>`)
	for _, k := range []string{"from", "to", "by"} {
		b.WriteString(`<th scope="col">` + say("documentation.diagram."+k) + "</th>")
	}
	b.WriteString("</tr></thead><tbody>\n")
	for line := range strings.SplitSeq(lines, "\n") {
		if m := named.FindStringSubmatch(line); m != nil {
			names[m[1]] = m[2]
		} else if m := arrow.FindStringSubmatch(line); m != nil {
			b.WriteString("<tr><td>" + name(m[1]) + "</td><td>→ " + name(m[2]) + "</td><td>" + template.HTMLEscapeString(m[3]) + "</td></tr>\n")
		}
	}
	b.WriteString("</tbody></table></div>\n")
	_, err := w.WriteString(b.String())
	return err
}
