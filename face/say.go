package face

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"

	"warifu/text"
)

var (
	japanese = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]`)
	latin    = regexp.MustCompile(`[A-Za-z]{2,}`)
)

// say is a sentence with pairs of parameter names and values, which are printed as they are:
// a person's or a service's name is not in the page's language, and is marked as what it is,
// so that it is read out rightly (WCAG 3.1.2).
func say(lang text.Lang, key string, pairs ...any) template.HTML {
	params := map[string]string{}
	var apart []string // values that are marked, by the number in their stand-in
	for i := 0; i+1 < len(pairs); i += 2 {
		v := fmt.Sprint(pairs[i+1])
		if html, ok := pairs[i+1].(template.HTML); ok {
			v = string(html)
		} else if isForeign(lang, v) {
			v = string(named(lang, text.Tame(v)))
		} else {
			params[fmt.Sprint(pairs[i])] = v
			continue
		}
		params[fmt.Sprint(pairs[i])] = "⟦" + strconv.Itoa(len(apart)) + "⟧"
		apart = append(apart, v)
	}
	s := template.HTMLEscapeString(text.Sentence(key, lang, params))
	for i, v := range apart {
		s = strings.ReplaceAll(s, "⟦"+strconv.Itoa(i)+"⟧", v)
	}
	return template.HTML(s)
}

// isForeign reports whether words are not in a page's language by their letters.
func isForeign(lang text.Lang, words string) bool {
	if lang == text.English {
		return japanese.MatchString(words)
	}
	return !japanese.MatchString(words) && latin.MatchString(words) && strings.Contains(words, " ")
}

// run is what stands together in Japanese: letters, with what joins them.
var run = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}ー々〆「『（［〔](?:[\p{Hiragana}\p{Katakana}\p{Han}ー々〆、。・「」『』（）［］〔〕　 ]*[\p{Hiragana}\p{Katakana}\p{Han}ー々〆。」』）］〕])?`)

// named marks what is not in a page's language: on an English page each run of Japanese, on a
// Japanese one the whole of a name in other letters, which is not to be translated.
func named(lang text.Lang, name string) template.HTML {
	s := template.HTMLEscapeString(name)
	switch {
	case !isForeign(lang, name):
		return template.HTML(s)
	case lang == text.English:
		return template.HTML(run.ReplaceAllString(s, `<span lang="ja" translate="no">$0</span>`))
	}
	return template.HTML(`<span translate="no">` + s + `</span>`)
}

// foreign are the attributes by which an element of its own is marked as named marks words.
func foreign(lang text.Lang, name string) template.HTMLAttr {
	switch {
	case !isForeign(lang, name):
		return ""
	case lang == text.English && !latin.MatchString(name):
		return ` lang="ja" translate="no"`
	}
	return ` translate="no"`
}
