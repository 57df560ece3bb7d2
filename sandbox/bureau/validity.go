package bureau

import (
	"time"

	"warifu/sandbox/person"
)

// A certificate lasts until the fifth birthday after its issue, or the sixth when it
// renews one that ends within three months (B.2), and never longer than its card.
const (
	birthdays        = 5
	birthdaysRenewed = 6
	renewalMonths    = 3
)

// expiry returns the last second of a certificate issued to p at the instant.
func expiry(p person.Person, issued time.Time, renewsEarly bool) time.Time {
	n := birthdays
	if renewsEarly {
		n = birthdaysRenewed
	}
	last := person.EndOfDay(person.Birthday(p.Birth, issued, n))
	if card := p.CardExpires(); card.Before(last) {
		return card
	}
	return last
}

// renewalOpens returns the first instant at which a certificate that ends at notAfter
// may be renewed because of its age.
func renewalOpens(notAfter time.Time) time.Time {
	return person.DateOf(notAfter).AddDate(0, -renewalMonths, 0)
}

// forenoon is when certificates of past days were issued: ten o'clock in Tokyo, or
// now where that has not been yet.
func forenoon(day, now time.Time) time.Time {
	at := person.DateOf(day).Add(10 * time.Hour)
	if at.After(now) {
		return now
	}
	return at
}
