package web_test

import (
	"net/http"
	"strings"
	"testing"

	"warifu/handbook"
)

func TestTheDocumentationIsServed(t *testing.T) {
	_, s := site(t)
	for _, c := range []struct {
		name, target, language string
		status                 int
		want, never            []string
	}{
		{"contents", "/docs", "ja", 200, []string{"利用する方へ", `href="/docs/life"`, `href="/api/docs"`, "英語"}, []string{"documentation.", "For holders"}},
		{"contents in English", "/docs", "en", 200, []string{"For holders", "For operators"}, []string{"documentation."}},
		{"a page with two halves", "/docs/life", "ja", 200, []string{"<h1>スマートフォンの電子証明書の一生</h1>", `<article lang="ja">`}, []string{"日本語のページがないため"}},
		{"a page with one half", "/docs/papers", "ja", 200, []string{"日本語のページがないため", `<article lang="en">`, `id="secrets-set"`}, []string{"documentation."}},
		{"the same for who reads it", "/docs/papers", "en", 200, []string{`<article lang="en">`}, []string{"exists in Japanese only"}},
		{"an address as in the source", "/docs/papers.md", "en", 200, []string{"<h1>The signed papers</h1>"}, nil},
		{"an example, as it is", "/docs/examples/three-calls.sh", "en", 200, []string{"curl"}, []string{"<html"}},
		{"a search", "/docs?q=%E5%81%9C%E6%AD%A2", "ja", 200, []string{`href="/docs/life#`}, nil},
		{"a search for nothing that is there", "/docs?q=%3Cb%3Eqqq", "en", 200, []string{"Nothing found for “&lt;b&gt;qqq”"}, []string{"<b>"}},
		{"a page that is not there", "/docs/nothing", "en", 404, nil, nil},
		{"a way out of the folder", "/docs/..%2fgo.mod", "en", 404, nil, []string{"module warifu"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := ask(s, http.MethodGet, c.target, "", "Accept-Language", c.language, "Accept", "text/html")
			body := text(t, r)
			if r.StatusCode != c.status {
				t.Fatalf("status %d, want %d", r.StatusCode, c.status)
			}
			for _, w := range c.want {
				if !strings.Contains(body, w) {
					t.Errorf("%q is not in the page", w)
				}
			}
			for _, n := range c.never {
				if strings.Contains(body, n) {
					t.Errorf("%q is in the page", n)
				}
			}
		})
	}
}

func TestEveryPageOfTheDocumentationIsServed(t *testing.T) {
	_, s := site(t)
	book, err := handbook.Embedded()
	must(t, err)
	for _, slug := range book.Slugs() {
		for _, lang := range []string{"ja", "en"} {
			r := ask(s, http.MethodGet, "/docs/"+slug+"?lang="+lang, "", "Accept", "text/html")
			if body := text(t, r); r.StatusCode != http.StatusOK || !strings.Contains(body, "<article lang=") || !strings.Contains(body, "</html>") {
				t.Errorf("%s in %s: status %d", slug, lang, r.StatusCode)
			}
		}
	}
}
