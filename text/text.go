// Package text holds every sentence that people read, in Japanese and English, by
// key. Code carries slugs and parameters; the words stand in catalogue/*.toml, one
// file a domain, so that whoever writes well can improve them without reading Go.
//
// A problem ("problem.<slug>") has a title, what happened; a next step, what the
// reader can do now; and where it helps a detail. Every other key has a text.
// Parameters stand in braces. A sentence is never shown with an unfilled brace, and
// a problem without an entry gets the sentence of its class rather than a slug.
package text

import (
	"sort"
	"strings"

	"golang.org/x/text/language"

	"warifu"
)

// Lang is a language that every sentence exists in, as BCP 47 writes it.
type Lang string

// The languages. Japanese is the language of the service, English is complete.
const (
	Japanese Lang = "ja"
	English  Lang = "en"
)

// Languages lists every language, the service's own first.
var Languages = [...]Lang{Japanese, English}

// maxAcceptLanguage bounds the header that Match reads; browsers send under 100 octets.
const maxAcceptLanguage = 256

// Match chooses the language for an Accept-Language header (RFC 9110 §12.5.4): the
// first of ours by quality; Japanese where nothing is asked for; English for whoever
// asks only for languages that we do not have.
func Match(acceptLanguage string) Lang {
	if len(acceptLanguage) > maxAcceptLanguage {
		return Japanese
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return Japanese
	}
	foreign := false
	for _, t := range tags {
		base, _ := t.Base()
		if l, ok := known(base.String()); ok {
			return l
		}
		foreign = foreign || (base.String() != "mul" && base.String() != "und") // "*" asks for nothing
	}
	if foreign {
		return English
	}
	return Japanese
}

// Parse returns the language with the given tag ("ja", "en") and whether there is one.
func Parse(tag string) (Lang, bool) { return known(tag) }

func known(tag string) (Lang, bool) {
	for _, l := range Languages {
		if tag == string(l) {
			return l, true
		}
	}
	return "", false
}

// Problem returns the sentences of err: title and next are never empty; detail may be.
// A slug without an entry is given the sentences of its class (Code).
func Problem(err *warifu.Error, lang Lang) (title, detail, next string) {
	if err == nil {
		return "", "", ""
	}
	c := embedded()
	e, ok := c.entries["problem."+err.Problem]
	if !ok {
		e, ok = c.entries["code."+string(err.Code)]
	}
	if !ok {
		e = lastResort
	}
	lang = orJapanese(lang)
	title, _ = c.fill(e["title"][lang], lang, err.Params)
	next, _ = c.fill(e["next"][lang], lang, err.Params)
	if whole, ok := c.fill(e["detail"][lang], lang, err.Params); ok {
		detail = whole // a detail that lacks a parameter says nothing rather than half
	}
	return title, detail, next
}

// Sentence returns the text of key with its {names} filled from params, or the key
// itself where there is no such entry (which a test refuses for keys that code uses).
func Sentence(key string, lang Lang, params map[string]string) string {
	e, ok := embedded().entries[key]
	if !ok || e["text"] == nil {
		return key
	}
	lang = orJapanese(lang)
	s, _ := embedded().fill(e["text"][lang], lang, params)
	return s
}

// Has reports whether the catalogue has an entry for key.
func Has(key string) bool { _, ok := embedded().entries[key]; return ok }

// Keys returns every key, sorted.
func Keys() []string { return embedded().Keys() }

// Check returns what is wrong with the embedded catalogue, or nil. A file that is
// wrong is left out as a whole at run time; a test makes sure that none is.
func Check() error { return embedded().err }

// Keys returns every key of c, sorted.
func (c *Catalogue) Keys() []string {
	keys := make([]string, 0, len(c.entries))
	for k := range c.entries {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func orJapanese(l Lang) Lang {
	if _, ok := known(string(l)); !ok {
		return Japanese
	}
	return l
}

// ParamsOf returns the names that the given fields of key want filled, sorted.
func ParamsOf(key string, fields ...string) []string {
	var all strings.Builder
	for _, f := range fields {
		all.WriteString(embedded().entries[key][f][English])
	}
	return Params(all.String())
}
