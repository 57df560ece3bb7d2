package person

import "warifu"

// NumberLength is the number of digits of a My Number (個人番号).
const NumberLength = 12

// checkDigit computes the last digit of a My Number from the eleven before it
// (総務省令第85号 of 2014, article 5): weights 2…7 and 2…6 from the right, eleven
// minus the remainder by eleven, zero where the remainder is 0 or 1.
func checkDigit(eleven string) byte {
	sum := 0
	for n := 1; n <= NumberLength-1; n++ {
		weight := n + 1
		if n > 6 {
			weight = n - 5
		}
		sum += int(eleven[NumberLength-1-n]-'0') * weight
	}
	if sum%11 <= 1 {
		return '0'
	}
	return byte('0' + 11 - sum%11)
}

// RealNumber reports whether s could be somebody's My Number: twelve digits and
// the right check digit.
func RealNumber(s string) bool {
	return allDigits(s, NumberLength) && s[NumberLength-1] == checkDigit(s[:NumberLength-1])
}

// wrongNumber appends a digit that is not the check digit to eleven digits.
func wrongNumber(eleven string) string {
	wrong := (checkDigit(eleven)-'0'+5)%10 + '0'
	return eleven + string(wrong)
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

func allDigits(s string, n int) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == n
}

func invalid(field string) *warifu.Error { return warifu.Invalid("person-invalid", "field", field) }
