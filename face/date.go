package face

import (
	"fmt"
	"strconv"
	"time"

	"warifu/text"
)

// tokyo is the zone in which the service's hours are told.
var tokyo = time.FixedZone("JST", 9*60*60)

// When writes an instant for people, in Japan's time.
func When(at time.Time, lang text.Lang) string { return told(at, lang, false, true) }

// Date writes a day for people.
func Date(at time.Time, lang text.Lang) string { return told(at, lang, false, false) }

// Month writes a month for people; eras says whether Japanese years are counted by eras.
func Month(at time.Time, lang text.Lang, eras bool) string {
	at = at.In(tokyo)
	switch {
	case lang == text.English:
		return at.Format("January 2006")
	case eras:
		return eraYear(at) + at.Format("1月")
	}
	return at.Format("2006年1月")
}

// told writes an instant or a day; eras says whether Japanese years are counted by eras.
func told(at time.Time, lang text.Lang, eras, clock bool) string {
	if at.IsZero() {
		return "—"
	}
	at = at.In(tokyo)
	if lang == text.English {
		if clock {
			return at.Format("2 January 2006, 15:04 JST")
		}
		return at.Format("2 January 2006")
	}
	year := strconv.Itoa(at.Year()) + "年"
	if eras {
		year = eraYear(at)
	}
	s := fmt.Sprintf("%s%d月%d日", year, int(at.Month()), at.Day())
	if clock {
		s += at.Format(" 15時04分")
	}
	return s
}

// eras of Japan by their first days, the newest first (元号法; the cabinet orders of 1989
// and 2019). Before 明治6年, when the Western calendar came into use, there are none here.
var eras = []struct {
	name  string
	first time.Time
}{
	{"令和", day(2019, 5, 1)}, {"平成", day(1989, 1, 8)}, {"昭和", day(1926, 12, 25)}, {"大正", day(1912, 7, 30)}, {"明治", day(1873, 1, 1)},
}

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, tokyo) }

// eraYear is the year of a day by its era, the first being 元年; 明治 began five years before
// it is counted here.
func eraYear(at time.Time) string {
	for _, e := range eras {
		if at.Before(e.first) {
			continue
		}
		n := at.Year() - e.first.Year() + 1
		if e.name == "明治" {
			n += 5
		}
		if n == 1 {
			return e.name + "元年"
		}
		return e.name + strconv.Itoa(n) + "年"
	}
	return strconv.Itoa(at.Year()) + "年"
}
