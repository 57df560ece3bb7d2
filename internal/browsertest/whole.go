package browsertest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Whole holds the page, as it stands now, to what every page must be (see the package): at both
// sizes, in light and dark colours, at 200 %, and in the other language too, in a second tab
// with the same cookies, wherever the page can be asked for again (it answers a GET). What
// the console said and what was asked of other machines is counted once, from the last Whole.
func (p *Page) Whole(t testing.TB) *Page {
	t.Helper()
	p.On(t).around()
	return p
}

// Alone is Whole without the second tab: for a page that asking for again would change.
func (p *Page) Alone(t testing.TB) *Page {
	t.Helper()
	p.On(t).allSizes()
	return p
}

func (p *Page) around() {
	p.t.Helper()
	p.allSizes()
	if twin := p.other(); twin != nil {
		twin.allSizes()
	}
}

// allSizes is Faults at both sizes, and what differs with colours and magnification.
func (p *Page) allSizes() {
	p.t.Helper()
	tell := func(how string, faults []string) {
		p.t.Helper()
		for _, fault := range faults {
			p.t.Errorf("%s, %s, %s%s: %s", p.Address(), p.size.Name, p.lang, how, fault)
		}
	}
	tell("", p.Faults())
	if p.looked() {
		return
	}
	before := p.t.Failed()
	tell(" at 200 %", p.zoomed())
	p.setMedia(map[string]string{"prefers-color-scheme": "dark", "prefers-reduced-motion": "reduce"})
	tell(" in the dark", p.accessibility(`["color-contrast"]`))
	p.setMedia(p.wire.media)
	q := *p
	q.size = Phone
	if p.size == Phone {
		q.size = Desktop
	}
	q.resize(q.size.Width, q.size.Height, 1)
	tell(" as a "+q.size.Name, append(q.accessibility(allRules), q.zoomed()...))
	p.resize(p.size.Width, p.size.Height, 1)
	if !p.t.Failed() && !before {
		p.remember()
	}
}

// other is the second tab at the same address, in the other language; nil where the page at
// hand was the answer to a form, or where a cookie says which language the person chose.
func (p *Page) other() *Page {
	p.t.Helper()
	p.wire.mu.Lock()
	method, at := p.wire.method, p.wire.at
	p.wire.mu.Unlock()
	if method != http.MethodGet {
		return nil
	}
	lang := "ja"
	if p.lang == lang {
		lang = "en"
	}
	if p.wire.twin == nil {
		p.wire.twin = tab(p.t, p.ctx, p.browser, p.size, lang)
	}
	twin := p.wire.twin.On(p.t).Go(at)
	var said string
	if twin.Eval(`document.documentElement.lang`, &said); said != lang {
		return nil
	}
	return twin
}

// seen are the pages that were found without fault at all sizes, but for their numbers.
var seen struct {
	sync.Mutex
	pages map[[sha256.Size]byte]bool
}

var numbers = regexp.MustCompile(`[0-9]+`)

func (p *Page) skeleton() [sha256.Size]byte {
	p.t.Helper()
	var html string
	p.Eval(`document.documentElement.outerHTML`, &html)
	return sha256.Sum256([]byte(p.size.Name + p.lang + numbers.ReplaceAllString(html, "0")))
}

func (p *Page) looked() bool {
	p.t.Helper()
	sum := p.skeleton()
	seen.Lock()
	defer seen.Unlock()
	return seen.pages[sum]
}

func (p *Page) remember() {
	p.t.Helper()
	sum := p.skeleton()
	seen.Lock()
	defer seen.Unlock()
	if seen.pages == nil {
		seen.pages = map[[sha256.Size]byte]bool{}
	}
	seen.pages[sum] = true
}

// allRules are axe's tags for WCAG 2.2 A and AA.
const allRules = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]`

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
	out = append(out, p.accessibility(allRules)...)
	out = append(out, p.words()...)
	p.collect()
	return out
}

// optional switches the rule on that axe leaves off by itself.
func optional(rules string) string {
	if rules == allRules {
		return `rules: {"target-size": {enabled: true}},`
	}
	return ""
}

// accessibility asks axe-core about rules, a JSON list of their tags or names.
func (p *Page) accessibility(rules string) (out []string) {
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
		runOnly: `+rules+`, `+optional(rules)+`
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
