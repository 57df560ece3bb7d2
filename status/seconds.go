package status

const day = 24 * 60 * 60

// civil is the date of a day since 1970, in the calendar that time.Time has. Answers name three
// times each, and time.Time.AppendFormat reads its layout anew for each of them.
func civil(days int64) (year, month, dayOfMonth int64) {
	z := days + 719_468 // since 0000-03-01
	era := z / 146_097
	of := z - era*146_097
	y := (of - of/1460 + of/36_524 - of/146_096) / 365
	inYear := of - (365*y + y/4 - y/100)
	m := (5*inYear + 2) / 153
	dayOfMonth = inYear - (153*m+2)/5 + 1
	month, year = m+3, y+era*400
	if month > 12 {
		month, year = month-12, year+1
	}
	return year, month, dayOfMonth
}

func putTwo(to []byte, n int64) {
	to[0], to[1] = byte('0'+n/10%10), byte('0'+n%10)
}

// putSecond writes a second since 1970, of year 9999 at the latest, as GeneralizedTime without its Z.
func putSecond(to []byte, second int64) {
	_ = to[timeText-1]
	year, month, dayOfMonth := civil(second / day)
	putTwo(to, year/100)
	putTwo(to[2:], year%100)
	putTwo(to[4:], month)
	putTwo(to[6:], dayOfMonth)
	rest := second % day
	putTwo(to[8:], rest/3600)
	putTwo(to[10:], rest/60%60)
	putTwo(to[12:], rest%60)
}

// appendHTTPDate appends a second since 1970, of year 9999 at the latest, as http.TimeFormat has it.
func appendHTTPDate(out []byte, second int64) []byte {
	const weekdays, months = "ThuFriSatSunMonTueWed", "JanFebMarAprMayJunJulAugSepOctNovDec"
	days, rest := second/day, second%day
	year, month, dayOfMonth := civil(days)
	out = append(out, "Thu, 01 Jan 1970 00:00:00 GMT"...)
	t := out[len(out)-29:]
	copy(t, weekdays[days%7*3:days%7*3+3])
	putTwo(t[5:], dayOfMonth)
	copy(t[8:], months[month*3-3:month*3])
	putTwo(t[12:], year/100)
	putTwo(t[14:], year%100)
	putTwo(t[17:], rest/3600)
	putTwo(t[20:], rest/60%60)
	putTwo(t[23:], rest%60)
	return out
}
