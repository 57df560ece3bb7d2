package chip

import (
	"fmt"
	"time"

	"warifu"
)

// Holder is what a card says about its person and itself, outside the certificates:
// the attributes of the 券面 applications and the numbers of 共通.
type Holder struct {
	Number       string `json:"number"`       // twelve digits with a wrong check digit (see WrongNumber)
	Name         string `json:"name"`         // family and given name with U+3000 between
	Address      string `json:"address"`      // one line
	Birth        string `json:"birth"`        // YYYYMMDD
	Sex          string `json:"sex"`          // 1 男, 2 女, 9 適用不能, 0 unknown
	Expiry       string `json:"expiry"`       // of the card, YYYYMMDD
	SecurityCode string `json:"securityCode"` // four digits, printed on the card
	Serial       string `json:"serial"`       // fifteen digits; the maker's number is the third to the fifteenth
	Municipality string `json:"municipality"` // five digits

	// The pictures of the 確認 application; where one is missing a blank 1-bit PNG stands
	// in, and no photograph.
	NameImage    []byte `json:"nameImage,omitempty"`    // PNG, 1 bit
	AddressImage []byte `json:"addressImage,omitempty"` // PNG, 1 bit
	NumberImage  []byte `json:"numberImage,omitempty"`  // PNG, 1 bit
	CodeImage    []byte `json:"codeImage,omitempty"`    // PNG, 1 bit
	Photo        []byte `json:"photo,omitempty"`        // JPEG 2000, grey
}

// ReferenceA is 照合番号A: the twelve digits (docs/card-facts.md §1.4).
func (h Holder) ReferenceA() string { return h.Number }

// ReferenceB is 照合番号B: birth as YYMMDD in the year of the era, the Gregorian year of
// expiry, the security code; fourteen digits.
func (h Holder) ReferenceB() (string, error) {
	birth, err := h.ReferenceBirth()
	if err != nil {
		return "", err
	}
	return birth + h.Expiry[:4] + h.SecurityCode, nil
}

// ReferenceBirth is the 生年月日 key of the 確認 application: YYMMDD in the year of the era.
func (h Holder) ReferenceBirth() (string, error) {
	if err := h.check(); err != nil {
		return "", err
	}
	day, err := time.Parse(dateLayout, h.Birth)
	if err != nil {
		return "", warifu.Invalid("personality-invalid", "field", "birth")
	}
	return fmt.Sprintf("%02d%s", eraYear(day)%100, h.Birth[4:]), nil
}

const dateLayout = "20060102"

// eras are the first days of the Japanese eras that a living person can be born in.
var eras = []time.Time{
	time.Date(2019, 5, 1, 0, 0, 0, 0, time.UTC),   // 令和
	time.Date(1989, 1, 8, 0, 0, 0, 0, time.UTC),   // 平成
	time.Date(1926, 12, 25, 0, 0, 0, 0, time.UTC), // 昭和
	time.Date(1912, 7, 30, 0, 0, 0, 0, time.UTC),  // 大正
	time.Date(1868, 1, 25, 0, 0, 0, 0, time.UTC),  // 明治
}

// eraYear is the year of the era on a day; the first is 1.
func eraYear(day time.Time) int {
	for _, first := range eras {
		if !day.Before(first) {
			return day.Year() - first.Year() + 1
		}
	}
	return day.Year()
}

// check refuses a holder whose fields would not fit the files, and any real My Number.
func (h Holder) check() error {
	if err := refuseRealNumber(h.Number); err != nil {
		return err
	}
	fields := []struct {
		name, value string
		length      int
	}{
		{"birth", h.Birth, 8}, {"sex", h.Sex, 1}, {"expiry", h.Expiry, 8},
		{"securityCode", h.SecurityCode, 4}, {"serial", h.Serial, 15}, {"municipality", h.Municipality, 5},
	}
	for _, f := range fields {
		if len(f.value) != f.length || !digits(f.value) {
			return warifu.Invalid("personality-invalid", "field", f.name)
		}
	}
	if h.Name == "" || h.Address == "" {
		return warifu.Invalid("personality-invalid", "field", "name, address")
	}
	return nil
}
