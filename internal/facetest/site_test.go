package facetest

import (
	"net/url"
	"strings"
	"testing"

	"warifu/internal/browsertest"
	"warifu/sandbox/desk"
	"warifu/text"
)

// fronts are the first pages of all places.
func fronts(p desk.Places) []string {
	out := []string{p.Server, p.Desk, p.Phones, p.Bank}
	for _, s := range p.Services() {
		out = append(out, s.Address)
	}
	return out
}

// shape is an address without what names one thing among many alike, so that one page of each
// sort is opened: identifiers and the questions asked are left out.
func shape(u *url.URL) string {
	parts := strings.Split(u.Path, "/")
	for i, part := range parts {
		if i > 1 && (strings.ContainsAny(part, "0123456789") || i == 2) {
			parts[i] = "…"
		}
	}
	return u.Host + strings.Join(parts, "/")
}

// maxPages bounds a crawl.
const maxPages = 80

// reach collects the addresses of one page of each sort, by following links from the fronts as
// GET alone. What is no page (a list as a file, an API's answer) is left out.
func reach(t *testing.T, page *browsertest.Page, p desk.Places) (out []string) {
	t.Helper()
	mine := map[string]bool{}
	var next []string
	seen := map[string]bool{}
	want := func(address string) {
		u, err := url.Parse(address)
		if err != nil || !mine[u.Host] || seen[shape(u)] {
			return
		}
		u.Fragment = ""
		seen[shape(u)] = true
		next = append(next, u.String())
	}
	for _, front := range fronts(p) {
		u, err := url.Parse(front)
		if err != nil {
			t.Fatal(err)
		}
		mine[u.Host] = true
		want(front + "/")
	}
	for len(next) > 0 && len(out) < maxPages {
		address := next[0]
		next = next[1:]
		page.Go(address)
		if status := page.Cost().Status; status >= 400 {
			t.Errorf("a link leads to %s: status %d", address, status)
			continue
		}
		var kind string
		if page.Eval(`document.contentType`, &kind); kind != "text/html" {
			continue
		}
		out = append(out, address)
		var links []string
		page.Eval(`[...document.querySelectorAll("main a[href], nav a[href], header a[href]")].filter((a) => !a.download && !/\.(json|csv|cer|der|pem|crl|xml|pdf|txt|md|js|css)$|\/api\/(v1|openapi)|readyz|healthz|\/metrics|logout/.test(a.pathname) && !a.search.includes("lang=") && !a.search.includes("era=")).map((a) => a.href)`, &links)
		for _, l := range links {
			want(l)
		}
	}
	if len(out) < len(fronts(p)) {
		t.Fatalf("only %d pages were found: %v", len(out), out)
	}
	return out
}

// Every page that links lead to from the places' fronts is whole, in both languages: at a phone's
// size and a desk's by turns, so that each is seen in one and another.
func TestEveryPageIsWhole(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	Persona(t, "taro+phone")
	pages := reach(t, b.Page(t, browsertest.Desktop, "en"), w.Places)
	for i, size := range browsertest.Sizes {
		for j, lang := range text.Languages {
			page := b.Page(t, size, string(lang))
			for k, address := range pages {
				if (i+j+k)%2 == 0 { // two of the four, both languages and both sizes among them
					page.Go(address).Whole(t)
				}
			}
		}
	}
	t.Logf("%d pages", len(pages))
}

// Every front can be walked by keyboard alone, needs no sideways scrolling at 200 %, holds its
// contrasts in the dark and keeps still for who asked for that.
func TestFrontsInOtherWays(t *testing.T) {
	Long(t)
	b, w := browsertest.Open(t), World(t)
	for _, size := range browsertest.Sizes {
		page := b.Page(t, size, "ja").Still()
		for _, front := range fronts(w.Places) {
			page.Go(front + "/").Keyboard(t).Zoomed(t)
			if moving := page.Moving(); len(moving) > 0 {
				t.Errorf("%s moves: %v", front, moving)
			}
		}
		page.Dark()
		for _, front := range fronts(w.Places) {
			page.Go(front + "/").Whole(t)
		}
	}
}
