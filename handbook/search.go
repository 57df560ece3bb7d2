package handbook

import (
	"html/template"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"

	"warifu/text"
)

// Bounds of a search.
const (
	MaxQuery = 100 // characters looked at
	maxHits  = 50
	before   = 30 // characters shown around a word that was found
	after    = 60
)

// Hit is a place that a search found.
type Hit struct {
	Entry
	Section string    // the heading; empty for the page itself
	In      text.Lang // the section's language
	rank    int       // 0 the page's title, 1 a heading, 2 the words below one
	excerpt [3]string // what stands before the word that was found, the word, what stands after
}

// Excerpt is what stands around the word that was found; empty where a title was.
func (h Hit) Excerpt() template.HTML {
	if h.excerpt[1] == "" {
		return ""
	}
	around := func(words string) template.HTML {
		return template.HTML(braced.ReplaceAllString(string(said(h.In, words)), "<code>$0</code>"))
	}
	return around(h.excerpt[0]) + "<mark>" + said(h.In, h.excerpt[1]) + "</mark>" + around(h.excerpt[2])
}

// braced is what stands for a value in an address: no word of the page's.
var braced = regexp.MustCompile(`[^\s<>]*\{[^\s<>{}]*\}[^\s<>]*`)

// SectionSaid is the heading with what is in the other language marked.
func (h Hit) SectionSaid() template.HTML { return said(h.In, h.Section) }

// Search finds pages and sections in whose title, heading or words every word of the
// question stands, blind to case and width: titles first, then headings, then words. Pages
// are looked at in the reader's language where they have it; their titles in both.
func (s *Site) Search(question string, lang text.Lang) []Hit {
	if r := []rune(question); len(r) > MaxQuery {
		question = string(r[:MaxQuery])
	}
	words := strings.Fields(fold(question))
	if len(words) == 0 {
		return nil
	}
	out := s.find(words, lang, lang)
	for _, other := range text.Languages { // who asks in the other language's words is meant as well
		if len(out) == 0 && other != lang {
			out = s.find(words, lang, other)
		}
	}
	slices.SortStableFunc(out, func(a, b Hit) int { return a.rank - b.rank })
	return out[:min(len(out), maxHits)]
}

// find looks through the pages in one language for a reader of one.
func (s *Site) find(words []string, reader, lang text.Lang) (out []Hit) {
	has := func(hay string) bool { return all(words, hay) }
	for _, slug := range s.slugs {
		p, _ := s.Page(slug, lang)
		titles := slug + " " + p.Title
		for _, l := range text.Languages {
			title, _ := s.Title(slug, l)
			titles += " " + title
		}
		if has(fold(titles)) {
			out = append(out, Hit{Entry: s.entry(slug, reader), In: p.Lang})
		}
		for _, section := range p.Sections {
			hit := Hit{Entry: s.entry(slug, reader), Section: section.Title, In: p.Lang, rank: 1}
			if section.Anchor != "" {
				hit.Address += "#" + section.Anchor
			}
			switch {
			case section.Title != "" && has(fold(section.Title)):
				out = append(out, hit)
			case has(section.words):
				hit.rank, hit.excerpt = 2, around(section.text, words[0])
				out = append(out, hit)
			}
		}
	}
	return out
}

func all(words []string, hay string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(hay, w) })
}

// Has reports whether every word of a question stands in what is no page, as Search looks.
func Has(question, in string) bool { return all(strings.Fields(fold(question)), fold(in)) }

// around cuts a sentence's worth out of what stands around a folded word.
func around(whole, word string) (out [3]string) {
	runes, folded := []rune(whole), []rune(fold(whole))
	at := strings.Index(string(folded), word)
	if at < 0 || len(runes) != len(folded) {
		return out
	}
	from := utf8.RuneCountInString(string(folded)[:at])
	to := from + utf8.RuneCountInString(word)
	start, end := max(0, from-before), min(len(runes), to+after)
	out = [3]string{string(runes[start:from]), string(runes[from:to]), string(runes[to:end])}
	if start > 0 {
		out[0] = "…" + out[0]
	}
	if end < len(runes) {
		out[2] += "…"
	}
	return out
}

// fold makes a search blind to case and width.
func fold(s string) string { return strings.ToLower(width.Fold.String(s)) }
