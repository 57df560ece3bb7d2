package web_test

import (
	markup "html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"warifu/handbook"
	words "warifu/text"
)

func TestTheDocumentationIsServed(t *testing.T) {
	_, s := site(t)
	for _, c := range []struct {
		name, target, language string
		status                 int
		want, never            []string
	}{
		{"contents", "/docs", "ja", 200, []string{"利用する方へ", `href="/docs/life"`, `href="/docs/reference"`, "英語"}, []string{"documentation.", "For holders"}},
		{"contents in English", "/docs", "en", 200, []string{"For holders", "For operators"}, []string{"documentation."}},
		{"a page with two halves", "/docs/life", "ja", 200, []string{"<h1>スマートフォンの電子証明書の一生</h1>", `<article lang="ja">`}, []string{"日本語のページがないため"}},
		{"a page with one half", "/docs/papers", "ja", 200, []string{"日本語のページがないため", `<article lang="en">`, `id="secrets-set"`}, []string{"documentation."}},
		{"the same for who reads it", "/docs/papers", "en", 200, []string{`<article lang="en">`}, []string{"exists in Japanese only"}},
		{"an address as in the source", "/docs/papers.md", "en", 200, []string{"<h1>The signed papers</h1>"}, nil},
		{"an example, as it is", "/docs/examples/three-calls.sh", "en", 200, []string{"curl"}, []string{"<html"}},
		{"a search", "/docs?q=%E5%81%9C%E6%AD%A2", "ja", 200, []string{`href="/docs/life#`}, nil},
		{"a search for nothing that is there", "/docs?q=%3Cb%3Eqqq", "en", 200, []string{"Nothing found for “&lt;b&gt;qqq”"}, []string{"<b>"}},
		{"the search finds operations", "/docs?q=SUSPENSIONS", "en", 200, []string{`href="/docs/reference/life#suspend-by-code"`}, nil},
		{"what stands around a word", "/docs?q=%E6%9A%97%E8%A8%BC", "ja", 200, []string{"<mark>暗証</mark>"}, nil},
		{"the interface", "/docs/reference", "en", 200, []string{`href="/docs/reference/check#verify"`, "urn:warifu:problem:application-unknown", `id="status-429"`}, []string{"documentation."}},
		{"a part of the interface", "/docs/reference/check", "en", 200, []string{`<code><strong>POST</strong> /api/v1/verifications</code>`, "curl", "<code>policy.", "cms | pdf | xml", `href="/docs/reference#status-429"`}, []string{"documentation."}},
		{"no part of the interface", "/docs/reference/nothing", "en", 404, nil, nil},
		{"the interface at its old address", "/api/docs", "ja", 200, []string{"インターフェース", `/life#suspend-by-code"`}, []string{"documentation."}},
		{"problems by name", "/docs/problems", "ja", 200, []string{`id="application-unknown"`, "…歳未満"}, []string{"documentation.", "{age}"}},
		{"the other language, and what is read next", "/docs/holders", "ja", 200, []string{"Read this page in English", `rel="next"`}, []string{`rel="prev"`}},
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

// Every link of every page, of the reference and of the contents leads to what is served, and its
// fragment to something that stands there; what leads out of the server does so openly.
func TestEveryLinkOfTheDocumentationIsAnswered(t *testing.T) {
	_, s := site(t)
	book, err := handbook.Embedded()
	must(t, err)
	had := map[string]string{} // page by address
	fetch := func(target, lang string) string {
		path, _, _ := strings.Cut(target, "#")
		key := lang + " " + path
		if body, ok := had[key]; ok {
			return body
		}
		r := ask(s, http.MethodGet, path, "", "Accept", "text/html", "Accept-Language", lang)
		body := text(t, r)
		if r.StatusCode >= http.StatusBadRequest {
			body = ""
		}
		had[key] = body
		return body
	}
	links := 0
	for _, lang := range []string{"ja", "en"} {
		addresses := []string{"/docs", "/docs/reference", "/docs/problems", "/docs/reference/apply", "/docs/reference/life", "/docs/reference/sale", "/docs/reference/check", "/docs/reference/login", "/docs/reference/devices", "/docs/reference/hotline"}
		for _, slug := range book.Slugs() {
			addresses = append(addresses, "/docs/"+slug)
		}
		for _, at := range addresses {
			body := fetch(at, lang)
			for _, m := range hrefs.FindAllStringSubmatch(body, -1) {
				to := markup.UnescapeString(m[1])
				switch {
				case strings.HasPrefix(to, "http"), strings.HasPrefix(to, "?"), strings.HasPrefix(to, "/assets/"):
					continue
				case strings.HasPrefix(to, "#"):
					to = at + to
				}
				links++
				there := fetch(to, lang)
				_, fragment, _ := strings.Cut(to, "#")
				if fragment, err = url.PathUnescape(fragment); err != nil || there == "" {
					t.Errorf("%s in %s: %s leads nowhere", at, lang, to)
				} else if fragment != "" && !strings.Contains(there, ` id="`+markup.EscapeString(fragment)+`"`) && !twoNamed(book, to, fragment) {
					t.Errorf("%s in %s: there is no %s", at, lang, to)
				}
			}
		}
	}
	if links < 2500 {
		t.Errorf("only %d links: the test does not see the documentation", links)
	}
}

// twoNamed reports whether a fragment is a heading of the page's other half: headings have a
// name in each language, and a page without a half links to those of the one that is there.
func twoNamed(book *handbook.Site, to, fragment string) bool {
	path, _, _ := strings.Cut(strings.TrimPrefix(to, handbook.Prefix+"/"), "#")
	path, _, _ = strings.Cut(path, "?")
	for _, lang := range []words.Lang{words.Japanese, words.English} {
		if p, ok := book.Page(path, lang); ok && strings.Contains(string(p.Body), ` id="`+markup.EscapeString(fragment)+`"`) {
			return true
		}
	}
	return false
}

var hrefs = regexp.MustCompile(` href="([^"]*)"`)

func TestAddressesOfADemoAreItsOwn(t *testing.T) {
	_, s := site(t)
	body := text(t, ask(s, http.MethodGet, "/docs/holders?lang=ja", "", "Accept", "text/html"))
	if strings.Contains(body, "127.0.0.1:8400/") {
		t.Error("a link leads to another server than this one")
	}
}
