package person

import (
	"warifu"
	"warifu/chip"
)

// NumberLength is the number of digits of a My Number (個人番号).
const NumberLength = 12

// RealNumber reports whether s could be somebody's My Number: twelve digits and
// the right check digit.
func RealNumber(s string) bool {
	if !allDigits(s, NumberLength) {
		return false
	}
	right, err := chip.CheckDigit(s[:NumberLength-1])
	return err == nil && s[NumberLength-1] == right
}

// checkNumber refuses what is no sandbox number: "person-number-real" for one that
// may belong to somebody, "person-invalid" for anything but twelve digits.
func checkNumber(s string) error {
	if RealNumber(s) {
		return warifu.Refused("person-number-real")
	}
	if !allDigits(s, NumberLength) {
		return invalid("number")
	}
	return nil
}

// wrongNumber makes a sandbox number of eleven digits, which are its caller's own.
func wrongNumber(eleven string) string {
	number, err := chip.WrongNumber(eleven)
	if err != nil {
		panic("person: " + err.Error()) // eleven digits were drawn: it cannot fail
	}
	return number
}

func allDigits(s string, n int) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == n
}

func invalid(field string) *warifu.Error { return warifu.Invalid("person-invalid", "field", field) }
