package person

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Tokyo is the zone in which birthdays begin and cards expire. Japan has had no
// summer time since 1951, so a fixed offset serves and no zone database is needed.
var Tokyo = time.FixedZone("Asia/Tokyo", 9*60*60)

// Date returns midnight in Tokyo.
func Date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, Tokyo)
}

// DateOf returns the midnight in Tokyo with which the day of t began.
func DateOf(t time.Time) time.Time {
	y, m, d := t.In(Tokyo).Date()
	return Date(y, m, d)
}

// EndOfDay returns 23:59:59 in Tokyo of the day of t: when certificates and cards
// expire (docs/card-facts.md §2.1: 14:59:59Z).
func EndOfDay(t time.Time) time.Time {
	return DateOf(t).AddDate(0, 0, 1).Add(-time.Second)
}

// Birthday returns the n-th birthday after the day of t (the first is the next one
// that is later than t's day). A person born on 29 February has a birthday on the
// 28th of other years.
func Birthday(birth, t time.Time, n int) time.Time {
	day := DateOf(t)
	year := day.Year()
	if !birthdayIn(birth, year).After(day) {
		year++
	}
	return birthdayIn(birth, year+n-1)
}

func birthdayIn(birth time.Time, year int) time.Time {
	_, m, d := birth.In(Tokyo).Date()
	if day := Date(year, m, d); day.Month() == m {
		return day
	}
	return Date(year, time.February, 28)
}

// Age returns the number of full years on the day of t. Somebody born on 29 February
// grows older on 1 March of other years (年齢計算ニ関スル法律: at the end of the day before).
func Age(birth, t time.Time) int {
	day := DateOf(t)
	_, m, d := birth.In(Tokyo).Date()
	years := day.Year() - birth.In(Tokyo).Year()
	if Date(day.Year(), m, d).After(day) {
		years--
	}
	return years
}

// eras lists the first day of each era with the digit that certificates write for
// it (docs/card-facts.md §2.2), latest first.
var eras = []struct {
	first time.Time
	digit byte
}{
	{Date(2019, time.May, 1), '5'},
	{Date(1989, time.January, 8), '4'},
	{Date(1926, time.December, 25), '3'},
	{Date(1912, time.July, 30), '2'},
	{Date(1868, time.October, 23), '1'},
}

// Era returns the digit of the era of a birth date (1 明治 … 5 令和, 0 unknown) and the
// year within the era, counting from 1.
func Era(birth time.Time) (digit byte, year int) {
	for _, e := range eras {
		if !birth.Before(e.first) {
			return e.digit, birth.In(Tokyo).Year() - e.first.Year() + 1
		}
	}
	return '0', 0
}

var relative = regexp.MustCompile(`^start((?:[+-][0-9]{1,5}[ymd])*)$`)
var step = regexp.MustCompile(`[+-][0-9]{1,5}[ymd]`)

// parseDate reads "2006-01-02", or "start" followed by steps such as "-3y" "+10d"
// counted from the day on which the world starts.
func parseDate(s string, start time.Time) (time.Time, error) {
	if m := relative.FindStringSubmatch(s); m != nil {
		return walk(DateOf(start), step.FindAllString(m[1], -1)), nil
	}
	return time.ParseInLocation(time.DateOnly, s, Tokyo)
}

func walk(day time.Time, steps []string) time.Time {
	for _, s := range steps {
		n, _ := strconv.Atoi(strings.TrimRight(s, "ymd")) // the pattern leaves nothing to fail
		switch s[len(s)-1] {
		case 'y':
			day = day.AddDate(n, 0, 0)
		case 'm':
			day = day.AddDate(0, n, 0)
		case 'd':
			day = day.AddDate(0, 0, n)
		}
	}
	return day
}
