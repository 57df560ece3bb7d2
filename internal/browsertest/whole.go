package browsertest

import (
	"fmt"
	"strings"
	"testing"
)

// Whole holds the page, as it stands now, to what every page must be (see the package). What
// the console said and what was asked of other machines is counted once, from the last Whole.
func (p *Page) Whole(t testing.TB) *Page {
	t.Helper()
	for _, fault := range p.On(t).Faults() {
		t.Errorf("%s, %s, %s: %s", p.Address(), p.size.Name, p.lang, fault)
	}
	return p
}

// Faults is Whole as a list, for who expects some.
func (p *Page) Faults() (out []string) {
	p.t.Helper()
	p.wire.mu.Lock()
	for _, address := range p.wire.foreign {
		out = append(out, "a request left the machine: "+address)
	}
	for _, said := range p.wire.console {
		out = append(out, "the console says: "+said)
	}
	p.wire.foreign, p.wire.console = nil, nil
	p.wire.mu.Unlock()
	out = append(out, p.accessibility()...)
	out = append(out, p.words()...)
	p.collect()
	return out
}

// accessibility asks axe-core about WCAG 2.2 A and AA.
func (p *Page) accessibility() (out []string) {
	p.t.Helper()
	var there bool
	p.Eval(`typeof axe === "object"`, &there)
	if !there {
		p.Eval(p.browser.axe+`;0`, nil)
	}
	var found []struct {
		ID, Help string
		Nodes    []struct{ HTML, Summary string }
	}
	p.Eval(`axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], rules: {"target-size": {enabled: true}},
		resultTypes: ["violations"], preload: false, elementRef: false,
	}).then((r) => r.violations.map((v) => ({ID: v.id, Help: v.help, Nodes: v.nodes.map((n) => ({HTML: n.html, Summary: n.failureSummary}))})))`, &found)
	for _, v := range found {
		for i, n := range v.Nodes {
			if i == 3 {
				out = append(out, fmt.Sprintf("axe %s: and %d more", v.ID, len(v.Nodes)-i))
				break
			}
			out = append(out, fmt.Sprintf("axe %s: %s\n\t%s\n\t%s", v.ID, v.Help, n.HTML, strings.ReplaceAll(n.Summary, "\n", "\n\t")))
		}
	}
	return out
}
