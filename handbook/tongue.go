package handbook

import (
	"regexp"
	"strings"
)

// japaneseRun finds Japanese words in an English page, glossed the same with the brackets around it.
var (
	japaneseRun = regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}ー々〜・「」（）、。]+`)
	glossed     = regexp.MustCompile(`\s*[(（]?[\p{Han}\p{Hiragana}\p{Katakana}ー々〜・]+[)）]?`)
	tag         = regexp.MustCompile(`<[^>]*>`)
)

// marked says of Japanese words in an English page that they are Japanese, so that they are read
// out and drawn as such (WCAG 3.1.2). What is code stays as it is.
func marked(body string) string {
	var b strings.Builder
	code, last := 0, 0
	words := func(s string) {
		if code == 0 {
			s = japaneseRun.ReplaceAllString(s, `<span lang="ja">$0</span>`)
		}
		b.WriteString(s)
	}
	for _, at := range tag.FindAllStringIndex(body, -1) {
		words(body[last:at[0]])
		name := body[at[0]:at[1]]
		switch {
		case strings.HasPrefix(name, "<code"), strings.HasPrefix(name, "<pre"):
			code++
		case strings.HasPrefix(name, "</code"), strings.HasPrefix(name, "</pre"):
			code--
		}
		b.WriteString(name)
		last = at[1]
	}
	words(body[last:])
	return b.String()
}
