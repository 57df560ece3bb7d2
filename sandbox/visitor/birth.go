package visitor

import (
	"time"

	"warifu"
)

// Tokyo is where ages are counted. Japan has had no summer time since 1951.
var Tokyo = time.FixedZone("Asia/Tokyo", 9*60*60)

// Born reads a birth date as the provider tells it (1980-02-17, or 19800217) or a certificate
// has it (319800217: the digit of the era before it). Error: Invalid "visitor-birth-date"; a
// register's entry without a day is one too.
func Born(birthDate string) (time.Time, error) {
	layout := "20060102"
	switch len(birthDate) {
	case len(time.DateOnly):
		layout = time.DateOnly
	case 9:
		birthDate = birthDate[1:]
	}
	t, err := time.ParseInLocation(layout, birthDate, Tokyo)
	if err != nil {
		return time.Time{}, warifu.Invalid("visitor-birth-date").With(err)
	}
	return t, nil
}

// Age is the number of full years at an instant, by the day in Tokyo. Who was born on
// 29 February is a year older on 1 March of other years.
func Age(born, at time.Time) int {
	at = at.In(Tokyo)
	years := at.Year() - born.Year()
	if born.AddDate(years, 0, 0).After(at) {
		years--
	}
	return years
}

// Same reports whether a certificate's attributes are of the person who was told at a login:
// the birth date is the same, and the name may be.
func (a Attributes) Same(certificate Attributes) bool {
	mine, err := Born(a.BirthDate)
	if err != nil {
		return false
	}
	theirs, err := Born(certificate.BirthDate)
	return err == nil && mine.Equal(theirs) && SameName(certificate.Name, certificate.NameSubstitution, a.Name)
}

// Needs refuses a visitor who was not told of enough: whoever logs in may untick attributes,
// and a phone without a good signing certificate has none to tell. Error: Refused
// "visitor-attributes-withheld".
func (v Visitor) Needs() error {
	if v.Attributes.Name == "" || v.Attributes.BirthDate == "" {
		return warifu.Refused("visitor-attributes-withheld")
	}
	return nil
}
