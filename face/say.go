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

// named marks a name that is not in the page's language: which language it is in where its
// letters tell, and that it is not to be translated.
func named(lang text.Lang, name string) template.HTML {
	s := template.HTMLEscapeString(name)
	if !isForeign(lang, name) {
		return template.HTML(s)
	}
	return template.HTML(`<span` + string(foreign(lang, name)) + `>` + s + `</span>`)
}

// foreign are the attributes by which named marks an element of its own.
func foreign(lang text.Lang, name string) template.HTMLAttr {
	switch {
	case !isForeign(lang, name):
		return ""
	case lang == text.English:
		return ` lang="ja" translate="no"`
	}
	return ` translate="no"`
}
