package handbook_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"warifu/handbook"
	"warifu/text"
)

func site(t testing.TB) *handbook.Site {
	t.Helper()
	s, err := handbook.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// both are all pages in both languages.
func both(t testing.TB, s *handbook.Site, f func(name string, p handbook.Page)) {
	t.Helper()
	n := 0
	for _, slug := range s.Slugs() {
		for _, lang := range text.Languages {
			p, ok := s.Page(slug, lang)
			if !ok {
				t.Errorf("%s is not there", slug)
				continue
			}
			n++
			f(slug+"."+string(lang), p)
		}
	}
	if n < 80 {
		t.Fatalf("only %d pages: the test does not see the documentation", n)
	}
}

var (
	reference = regexp.MustCompile(` href="([^"]*)"`)
	named     = regexp.MustCompile(` id="([^"]*)"`)
)

func TestEveryLinkOnEveryPageLeadsSomewhere(t *testing.T) {
	s := site(t)
	seen := 0
	both(t, s, func(name string, p handbook.Page) {
		for _, m := range reference.FindAllStringSubmatch(string(p.Body), -1) {
			link := strings.ReplaceAll(m[1], "&amp;", "&")
			if strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://") {
				continue
			}
			seen++
			at, fragment, _ := strings.Cut(link, "#")
			to := p
			if at != "" {
				path, query, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(at, handbook.Prefix), "/"), "?")
				if _, ok := s.File(path); ok {
					continue
				}
				if path == "" { // the table of contents
					if !slices.ContainsFunc(s.Contents(text.English), func(a handbook.Audience) bool { return a.Name == fragment }) {
						t.Errorf("%s: %s leads nowhere", name, link)
					}
					continue
				}
				lang := p.Lang
				if l, ok := strings.CutPrefix(query, "lang="); ok {
					lang = text.Lang(l)
				}
				var ok bool
				if to, ok = s.Page(path, lang); !ok {
					t.Errorf("%s: %s leads nowhere", name, link)
					continue
				}
			}
			if fragment == "" || to.Lang != p.Lang {
				continue // a heading has another name in each language
			}
			if !strings.Contains(string(to.Body), ` id="`+fragment+`"`) && !strings.Contains(string(to.Body), ` id="`+unescaped(fragment)+`"`) {
				t.Errorf("%s: %s has no such heading", name, link)
			}
		}
	})
	if seen < 200 {
		t.Errorf("saw only %d links", seen)
	}
}

func TestNoHeadingsNameTwice(t *testing.T) {
	both(t, site(t), func(name string, p handbook.Page) {
		had := map[string]bool{"main": true}
		for _, m := range named.FindAllStringSubmatch(string(p.Body), -1) {
			if had[m[1]] || m[1] == "" {
				t.Errorf("%s: the name %q stands twice, or says nothing", name, m[1])
			}
			had[m[1]] = true
		}
		if p.Title == "" || strings.Contains(string(p.Body), "<h1") || strings.Contains(string(p.Body), " style=") || strings.Contains(string(p.Body), "raw HTML omitted") {
			t.Errorf("%s: title %q; or a second title, a style or HTML of its own in it", name, p.Title)
		}
	})
}

func TestEveryPageStandsInTheContents(t *testing.T) {
	s := site(t)
	for _, lang := range text.Languages {
		var listed []string
		for _, a := range s.Contents(lang) {
			if len(a.Entries) == 0 || a.Title == "" {
				t.Errorf("%s: %s is empty", lang, a.Name)
			}
			for _, e := range a.Entries {
				listed = append(listed, strings.TrimPrefix(e.Address, handbook.Prefix+"/"))
			}
		}
		for _, slug := range s.Slugs() {
			if slug != "adr/0000-template" && !slices.Contains(listed, slug) {
				t.Errorf("%s: %s is in no list", lang, slug)
			}
		}
	}
}

func TestAPageWithoutTheReadersHalfSaysSo(t *testing.T) {
	s := site(t)
	for slug, foreign := range map[string]bool{"life": false, "papers": true} {
		p, ok := s.Page(slug, text.Japanese)
		if !ok || p.Foreign != foreign || (p.Lang == text.English) != foreign {
			t.Errorf("%s in Japanese: %v, %s", slug, p.Foreign, p.Lang)
		}
	}
	if _, ok := s.Page("nothing", text.English); ok {
		t.Error("a page that is not there was given")
	}
}

func TestSearchFindsTitlesThenHeadingsThenWords(t *testing.T) {
	s := site(t)
	hits := s.Search("ＬＯＳＩＮＧ a phone", text.English)
	if len(hits) < 2 || hits[0].Address != "/docs/losing-a-phone" {
		t.Errorf("full-width capitals find %+v", hits)
	}
	if hits := s.Search("なくした", text.Japanese); len(hits) == 0 || hits[0].Address != "/docs/losing-a-phone" {
		t.Errorf("a Japanese title finds %+v", hits)
	}
	if hits := s.Search("secrets set", text.English); len(hits) == 0 || !strings.HasSuffix(hits[0].Address, "#secrets-set") {
		t.Errorf("a heading finds %+v", hits)
	}
	if hits := s.Search("暗証番号", text.English); len(hits) == 0 || hits[0].In != text.Japanese || hits[0].Lang != text.English {
		t.Errorf("Japanese words find %+v for who reads English", hits)
	}
	for _, nothing := range []string{"", "   ", "qqqqqqq", strings.Repeat("あ", 5000)} {
		if hits := s.Search(nothing, text.Japanese); len(hits) != 0 {
			t.Errorf("%.10q finds %d", nothing, len(hits))
		}
	}
}

func TestHTMLInAPageIsNotPassedThrough(t *testing.T) {
	s, err := handbook.New(fstest.MapFS{
		"a.md": {Data: []byte("# A <b>b</b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) [y](b.md#c) [z](../secret.go) [w](none.md)\n\n## C\n\n## C\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```mermaid\nstateDiagram-v2\n  [*] --> a\n  a --> b : go <b>\n```\n")},
		"b.md": {Data: []byte("# B\n\n## C\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := s.Page("a", text.English)
	body := string(p.Body)
	for _, bad := range []string{"<script", `href="javascript:`, "secret.go\"", " align=", "<b>"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q is in %s", bad, body)
		}
	}
	for _, good := range []string{`href="/docs/b#c"`, "(in the source: secret.go)", `id="c"`, `id="c-1"`, "<td>a</td><td>→ b</td><td>go &lt;b&gt;</td>", `class="scroll"`} {
		if !strings.Contains(body, good) {
			t.Errorf("%q is not in %s", good, body)
		}
	}
	for _, outside := range []string{"../a.go", "/etc/passwd", "a.md", "nothing"} {
		if _, ok := s.File(outside); ok {
			t.Errorf("%q was given", outside)
		}
	}
}

func TestJapaneseWordsInAnEnglishPageSayThatTheyAre(t *testing.T) {
	s, err := handbook.New(fstest.MapFS{"a.md": {Data: []byte("# A\n\n## The application (利用申請)\n\nword 申請 and `申請`\n")}})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := s.Page("a", text.English)
	for _, want := range []string{`word <span lang="ja">申請</span> and <code>申請</code>`, `Link to “The application”`} {
		if !strings.Contains(string(p.Body), want) {
			t.Errorf("%q is not in %s", want, p.Body)
		}
	}
	if got := p.Chapters()[0].Said(); got != `The application (<span lang="ja">利用申請</span>)` {
		t.Errorf("the contents say %s", got)
	}
}

func TestEnglishInAJapanesePageSaysThatItIs(t *testing.T) {
	s, err := handbook.New(fstest.MapFS{
		"a.md":    {Data: []byte("# A\n\n## Words\n")},
		"a.ja.md": {Data: []byte("# 失効《しっこう》\n\n## Sold &quot;as it is&quot; today\n\n失効《しっこう》はTOMLの`失効《しっこう》`で、the quick brown foxと言います。&amp; one two three\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := s.Page("a", text.Japanese)
	for _, want := range []string{
		`<ruby>失効<rp>（</rp><rt>しっこう</rt><rp>）</rp></ruby>は`, `<code>失効《しっこう》</code>`,
		`<span lang="en">the quick brown fox</span>と`, `&amp; <span lang="en">one two three</span>`, `aria-label="この見出しへのリンク"`,
	} {
		if !strings.Contains(string(p.Body), want) {
			t.Errorf("%q is not in %s", want, p.Body)
		}
	}
	if p.Title != "失効" {
		t.Errorf("the title is %q", p.Title)
	}
	if hits := s.Search("失効は", text.Japanese); len(hits) != 1 || !strings.Contains(string(hits[0].Excerpt()), "<mark>失効は</mark>TOML") {
		t.Errorf("a word with its reading finds %+v", hits)
	}
}

func TestHeadingsOfTwoHalvesHaveBothNames(t *testing.T) {
	s := site(t)
	for slug, anchors := range map[string][]string{"losing-a-phone": {"for-the-operator", "運用担当者の方へ"}, "passwords": {"both-are-forgotten", "両方忘れた"}} {
		for _, lang := range text.Languages {
			for _, anchor := range anchors {
				if p, _ := s.Page(slug, lang); p.Lang != lang || !strings.Contains(string(p.Body), ` id="`+anchor+`"`) {
					t.Errorf("%s in %s has no %s", slug, lang, anchor)
				}
			}
		}
	}
}

func TestAPageKnowsThoseBesideIt(t *testing.T) {
	s := site(t)
	for _, lang := range text.Languages {
		for _, a := range s.Contents(lang) {
			for i, e := range a.Entries {
				slug := strings.TrimPrefix(e.Address, handbook.Prefix+"/")
				w := s.Way(slug, lang)
				if w.Audience.Name != a.Name {
					continue // it is read earlier already
				}
				if (w.Before == nil) != (i == 0) || (w.Behind == nil) != (i == len(a.Entries)-1) || w.Before != nil && w.Before.Address != a.Entries[i-1].Address {
					t.Errorf("%s: %+v", slug, w)
				}
			}
		}
	}
	p, _ := s.Page("life", text.English)
	if other, ok := s.Other(p); !ok || other != text.Japanese {
		t.Errorf("the life is in %q as well", other)
	}
	if w := s.Way("nothing", text.English); w.Before != nil || w.Behind != nil {
		t.Errorf("a page that is not there stands beside %+v", w)
	}
}

func FuzzSearch(f *testing.F) {
	f.Add("suspend")
	f.Add("停止 コード")
	f.Add("\x00\xff[")
	s := site(f)
	f.Fuzz(func(t *testing.T, q string) {
		if hits := s.Search(q, text.Japanese); len(hits) > 50 {
			t.Errorf("%d hits", len(hits))
		}
	})
}

// unescaped is a fragment as it stands in an id.
func unescaped(fragment string) string {
	s, err := url.PathUnescape(fragment)
	if err != nil {
		return fragment
	}
	return s
}
