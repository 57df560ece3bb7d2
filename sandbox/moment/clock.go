package moment

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	onlyDuration = regexp.MustCompile(`^\+ ?(?:(\d{1,4})w ?)?(?:(\d{1,5})d ?)?([0-9hms.µu]*)$`)
	inUnits      = regexp.MustCompile(`^(?:in )?(\d{1,5}) ?(second|minute|hour|day|week|month|year)s?( later| from now)?$`)
	afterUnits   = regexp.MustCompile(`^(?:今から)?(\d{1,5})(秒|分|時間|日|週間|か月|年)後$`)
	dayAndTime   = regexp.MustCompile(`^(today|tomorrow|overmorrow|\d{4}-\d{1,2}-\d{1,2})?(?: |の|, )*(?:(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?$`)
	timeAndDay   = regexp.MustCompile(`^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))? (today|tomorrow|overmorrow|\d{4}-\d{1,2}-\d{1,2})$`)
)

// units by their English and Japanese names: years, months, days, and a length.
var units = map[string]struct {
	years, months, days int
	length              time.Duration
}{
	"second": {length: time.Second}, "秒": {length: time.Second},
	"minute": {length: time.Minute}, "分": {length: time.Minute},
	"hour": {length: time.Hour}, "時間": {length: time.Hour},
	"day": {days: 1}, "日": {days: 1},
	"week": {days: 7}, "週間": {days: 7},
	"month": {months: 1}, "か月": {months: 1},
	"year": {years: 1}, "年": {years: 1},
}

// shift returns what moves an instant by n of a unit.
func shift(n int, unit string) func(time.Time) time.Time {
	u := units[unit]
	return func(t time.Time) time.Time {
		return t.AddDate(n*u.years, n*u.months, n*u.days).Add(time.Duration(n) * u.length)
	}
}

// readForward reads a length from now: "+2h30m", "+3d", "in 3 days", 3日後.
func readForward(s string) (Wish, bool) {
	if m := onlyDuration.FindStringSubmatch(s); m != nil {
		weeks, _ := strconv.Atoi(m[1]) // digits or nothing
		days, _ := strconv.Atoi(m[2])
		var rest time.Duration
		var err error
		if m[3] != "" || m[1]+m[2] == "" {
			rest, err = time.ParseDuration(m[3])
		}
		return Wish{from: func(now time.Time) time.Time { return now.AddDate(0, 0, 7*weeks+days).Add(rest) }}, err == nil
	}
	m := inUnits.FindStringSubmatch(s)
	if m == nil {
		m = afterUnits.FindStringSubmatch(s)
	}
	if m == nil {
		return Wish{}, false
	}
	n, _ := strconv.Atoi(m[1]) // five digits
	return Wish{from: shift(n, m[2])}, true
}

// readClock reads a time of day, a day, or both, in either order. Without a day the next
// such time is meant.
func readClock(s string) (Wish, bool) {
	var day string
	var parts []string
	if m := timeAndDay.FindStringSubmatch(s); m != nil {
		day, parts = m[4], m[1:4]
	} else if m := dayAndTime.FindStringSubmatch(s); m != nil && s != "" {
		day, parts = m[1], m[2:5]
	} else {
		return Wish{}, false
	}
	var clock [3]int
	for i, p := range parts {
		clock[i], _ = strconv.Atoi(p) // digits or nothing
	}
	if clock[0] > 24 || clock[1] > 59 || clock[2] > 59 || (clock[0] == 24 && clock[1]+clock[2] > 0) || (day == "today" && parts[0] == "") {
		return Wish{}, false
	}
	if strings.Contains(day, "-") && !isDate(day) {
		return Wish{}, false
	}
	return Wish{from: func(now time.Time) time.Time { return timeOn(now, day, clock) }}, true
}

func isDate(day string) bool {
	_, err := time.Parse("2006-1-2", day)
	return err == nil
}

func timeOn(now time.Time, day string, clock [3]int) time.Time {
	y, m, d := now.Date()
	switch day {
	case "tomorrow":
		d++
	case "overmorrow":
		d += 2
	case "today", "":
	default:
		on, _ := time.Parse("2006-1-2", day) // readClock has tried
		y, m, d = on.Date()
	}
	at := time.Date(y, m, d, clock[0], clock[1], clock[2], 0, now.Location())
	if day == "" && at.Before(now) {
		at = time.Date(y, m, d+1, clock[0], clock[1], clock[2], 0, now.Location())
	}
	return at
}
