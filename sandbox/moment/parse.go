package moment

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"

	"warifu"
)

// maxWords bounds what is read, in octets: the longest sensible wish has sixty.
const maxWords = 200

// Wish is an instant as somebody named it.
type Wish struct {
	at     time.Time // absolute, when not zero
	from   func(now time.Time) time.Time
	what   What
	age    int    // of a birthday; 0: the next one
	card   string // whose; "" when nobody was named
	offset func(time.Time) time.Time
}

// Parse reads a wish in Japanese or English. Error: Invalid "clock-malformed".
func Parse(words string) (Wish, error) {
	if len(words) > maxWords {
		return Wish{}, malformed(words[:0])
	}
	raw := strings.TrimSpace(words)
	if t, err := time.Parse(time.RFC3339, raw); err == nil {
		return Wish{at: t}, within(t)
	}
	s := plain(raw)
	for _, read := range []func(string) (Wish, bool){readForward, readClock, readRelative, readEvent} {
		if w, ok := read(s); ok {
			return w, nil
		}
	}
	return Wish{}, malformed(raw)
}

func malformed(words string) error { return warifu.Invalid("clock-malformed", "words", words) }

// within refuses years that no certificate can name.
func within(t time.Time) error {
	if t.Year() > 9999 || t.Year() < 1 {
		return malformed("")
	}
	return nil
}

// rewriting brings the many ways of writing to one.
type rewriting struct {
	from *regexp.Regexp
	to   string
}

var rewritings = []rewriting{
	{regexp.MustCompile(`\s+`), " "},
	{regexp.MustCompile(`[ヶヵケカか箇]月(間)?`), "か月"},
	{regexp.MustCompile(`週間?`), "週間"},
	{regexp.MustCompile(`(本日|きょう|今日)`), "today"},
	{regexp.MustCompile(`(明後日|あさって)`), "overmorrow"},
	{regexp.MustCompile(`the day after tomorrow`), "overmorrow"},
	{regexp.MustCompile(`(明日|あした|あす)`), "tomorrow"},
	{regexp.MustCompile(`正午|\bnoon\b`), "12:00"},
	{regexp.MustCompile(`(\d{4})年 ?(\d{1,2})月 ?(\d{1,2})日`), "$1-$2-$3"},
	{regexp.MustCompile(`(\d{1,2})時半`), "$1:30"},
	{regexp.MustCompile(`(\d{1,2})時(\d{1,2})分`), "$1:$2"},
	{regexp.MustCompile(`(\d{1,2})時([^間\d]|$)`), "$1:00$2"},
	{regexp.MustCompile(`(^| )(私|わたし|自分|本人)の`), "$1"},
	{regexp.MustCompile(`(^| )(the|my|its|at|on|to|until) `), " "},
	{regexp.MustCompile(`(^| )(the|my|its|at|on|to|until) `), " "}, // two in a row share a blank
}

var (
	kanjiNumber = regexp.MustCompile(`[一二三四五六七八九十]+(歳|才|日|週|か月|ヶ月|ヵ月|カ月|箇月|年|時|分|秒)`)
	wordNumber  = regexp.MustCompile(`\b(an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteenth|twentieth)\b`)
	reiwa       = regexp.MustCompile(`令和(元|\d{1,2})年`)
	afternoon   = regexp.MustCompile(`(午前|午後)(\d{1,2}):`)
)

var englishNumbers = map[string]string{
	"a": "1", "an": "1", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
	"eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteenth": "15th", "twentieth": "20th",
}

// plain folds widths and case and brings numbers, dates and small words to one form.
func plain(s string) string {
	s = strings.ToLower(strings.TrimSpace(width.Fold.String(s)))
	s = strings.NewReplacer("一時停止", "停止", "一時保留", "保留").Replace(s) // no time of day is in them
	s = kanjiNumber.ReplaceAllStringFunc(s, arabic)
	s = wordNumber.ReplaceAllStringFunc(s, func(n string) string { return englishNumbers[n] })
	s = reiwa.ReplaceAllStringFunc(s, func(era string) string {
		n := 1
		if digits := strings.TrimSuffix(strings.TrimPrefix(era, "令和"), "年"); digits != "元" {
			n, _ = strconv.Atoi(digits) // the pattern leaves nothing to fail
		}
		return strconv.Itoa(2018+n) + "年"
	})
	for _, r := range rewritings {
		s = r.from.ReplaceAllString(s, r.to)
	}
	s = afternoon.ReplaceAllStringFunc(s, func(part string) string {
		m := afternoon.FindStringSubmatch(part)
		hour, _ := strconv.Atoi(m[2])
		if m[1] == "午後" && hour < 12 {
			hour += 12
		}
		return strconv.Itoa(hour) + ":"
	})
	return strings.TrimSpace(s)
}

// arabic writes 十五歳 as 15歳: numbers below a hundred.
func arabic(s string) string {
	digits := []rune("〇一二三四五六七八九")
	n, last := 0, 0
	for i, r := range s {
		if r == '十' {
			n, last = n+max(last, 1)*10, 0
			continue
		}
		at := strings.IndexRune(string(digits), r)
		if at < 0 {
			return strconv.Itoa(n+last) + s[i:]
		}
		last = at / len("〇")
	}
	return s
}
