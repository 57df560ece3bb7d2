package browsertest

import (
	"regexp"
	"strings"
	"sync"

	"warifu/text"
)

// spoken gathers what a page says, in pieces: text and the attributes that are read out. A
// piece has the language that stands around it; what is a code, an address or typed is left out.
const spoken = `(() => {
	const out = [], skip = "script, style, title, code, pre, kbd, samp, textarea, [translate=no]";
	const add = (element, words) => {
		words = words.replace(/\s+/g, " ").trim();
		if (!words || element.closest(skip)) return;
		const l = element.closest("[lang]");
		out.push({Lang: l ? l.lang.slice(0, 2) : "", Words: words});
	};
	const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) if (walk.currentNode.parentElement) add(walk.currentNode.parentElement, walk.currentNode.data);
	for (const name of ["alt", "title", "aria-label", "placeholder", "label"])
		for (const e of document.querySelectorAll("[" + name + "]")) add(e, e.getAttribute(name));
	return {Lang: document.documentElement.lang, Pieces: out};
})()`

var (
	japanese = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]`)
	// english is a run of words as no Japanese sentence has: names and terms are shorter.
	english = regexp.MustCompile(`[A-Za-z]+[,;:]?(?: [A-Za-z'’-]+[,;:]?){3,}`)
	brace   = regexp.MustCompile(`\{[a-z][A-Za-z0-9-]*\}|<no value>|%!|\[object `)
	dotted  = regexp.MustCompile(`\b[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+\b`)
)

// domains are the first words of the catalogue's keys.
var domains = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, key := range text.Keys() {
		first, _, _ := strings.Cut(key, ".")
		out[first] = true
	}
	return out
})

// words are the faults of what the page says: another language than its own that is not
// marked as such (the title of the window cannot be marked, and says what the heading says), a key of the catalogue, a parameter that nothing took the place of.
func (p *Page) words() (out []string) {
	p.t.Helper()
	var said struct {
		Lang   string
		Pieces []struct{ Lang, Words string }
	}
	p.Eval(spoken, &said)
	if said.Lang != p.lang {
		out = append(out, "the page says that it is in "+said.Lang)
	}
	for _, piece := range said.Pieces {
		switch {
		case piece.Lang == "en" && japanese.MatchString(piece.Words):
			out = append(out, "Japanese in what is English: "+piece.Words)
		case piece.Lang == "ja" && english.MatchString(piece.Words):
			out = append(out, "English in what is Japanese: "+piece.Words)
		}
		if brace.MatchString(piece.Words) {
			out = append(out, "a parameter shows: "+piece.Words)
		}
		for _, word := range dotted.FindAllString(piece.Words, -1) {
			if first, _, _ := strings.Cut(word, "."); domains()[first] && looksLikeKey(word) {
				out = append(out, "a key of the catalogue shows: "+word)
			}
		}
	}
	return out
}

// looksLikeKey leaves out names of hosts and files, which have dots as well.
func looksLikeKey(word string) bool {
	for _, end := range []string{".jp", ".example", ".com", ".test", ".toml", ".html", ".md", ".csv", ".json", ".pem", ".der", ".crl", ".go", ".db", ".pdf", ".xml", ".txt"} {
		if strings.HasSuffix(word, end) {
			return false
		}
	}
	return true
}
