package handbook

import (
	"html/template"
	"regexp"
	"strings"

	"warifu/text"
)

var (
	// japaneseRun finds Japanese words in an English page, glossed the same with the brackets around it.
	japaneseRun = regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}ー々〜「『（](?:[\p{Han}\p{Hiragana}\p{Katakana}ー々〜・「」『』（）、。]*[\p{Han}\p{Hiragana}\p{Katakana}ー々〜」』）。])?`)
	glossed     = regexp.MustCompile(`\s*[(（]?[\p{Han}\p{Hiragana}\p{Katakana}ー々〜・]+[)）]?`)
	// englishRun finds what no Japanese sentence has: three English words one after another.
	englishRun = regexp.MustCompile(`[A-Za-z][\w'’-]*[,;:]?(?: [A-Za-z][\w'’-]*[,;:]?){2,}`)
	// read is how a word is read, as it is written after it: 失効《しっこう》.
	read     = regexp.MustCompile(`([\p{Han}々]+)《([\p{Hiragana}\p{Katakana}ー]+)》`)
	marks    = regexp.MustCompile(`<[^>]*>|&[#0-9A-Za-z]+;`)
	readings = regexp.MustCompile(`《[\p{Hiragana}\p{Katakana}ー]+》`)
)

// marked says of words in a page that they are in the other language, so that they are read
// out and drawn as such (WCAG 3.1.2): of Japanese in an English page, of three English words or
// more in a Japanese one. Readings in a Japanese page become small letters above their word.
// What is code stays as it is.
func marked(lang text.Lang, body string) string {
	var b strings.Builder
	code, last := 0, 0
	words := func(s string) {
		if code == 0 {
			s = markedWords(lang, s)
		}
		b.WriteString(s)
	}
	for _, at := range marks.FindAllStringIndex(body, -1) {
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

func markedWords(lang text.Lang, s string) string {
	if lang == text.English {
		return japaneseRun.ReplaceAllString(s, `<span lang="ja">$0</span>`)
	}
	s = englishRun.ReplaceAllString(s, `<span lang="en">$0</span>`)
	return read.ReplaceAllString(s, `<ruby>$1<rp>（</rp><rt>$2</rt><rp>）</rp></ruby>`)
}

// said is marked for words that are no HTML: titles and headings in lists.
func said(lang text.Lang, words string) template.HTML {
	return template.HTML(marked(lang, template.HTMLEscapeString(words)))
}

// Said marks the words of a sentence in a reader's language that are in the other one, as it
// does in pages.
func Said(lang text.Lang, words string) template.HTML { return said(lang, words) }

// unread takes the readings out, for titles and for what a search looks at.
func unread(s string) string { return readings.ReplaceAllString(s, "") }

// spoken is a title for an attribute, which has one language; empty where the title is in the
// other one.
func spoken(lang text.Lang, title string) string {
	if lang == text.English {
		return strings.TrimSpace(glossed.ReplaceAllString(title, ""))
	}
	if englishRun.MatchString(title) {
		return ""
	}
	return title
}
