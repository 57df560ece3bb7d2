package chip

import (
	"strconv"

	"warifu"
)

// A My Number (個人番号) is twelve digits of which the last checks the others. This
// house holds none: where one stands on a real card, ours carries twelve digits whose
// check digit is wrong, and a personality with a right one is refused.

const numberLength = 12

// CheckDigit is the twelfth digit that a real My Number with these eleven digits would
// have (平成26年総務省令第85号第5条): 11 − (Σ P·Q mod 11), or 0 where that is above 9; P
// counts from the right, Q is 2…7, then 2…6.
func CheckDigit(eleven string) (byte, error) {
	if len(eleven) != numberLength-1 || !digits(eleven) {
		return 0, warifu.Invalid("personality-invalid", "field", "number")
	}
	sum := 0
	for n := 1; n <= len(eleven); n++ {
		p := int(eleven[len(eleven)-n] - '0')
		q := n + 1
		if n > 6 {
			q = n - 5
		}
		sum += p * q
	}
	check := 11 - sum%11
	if check > 9 {
		check = 0
	}
	return byte('0' + check), nil
}

// WrongNumber makes the twelve digits of a sandbox card from eleven: the check digit is
// always one more than the right one.
func WrongNumber(eleven string) (string, error) {
	right, err := CheckDigit(eleven)
	if err != nil {
		return "", err
	}
	return eleven + strconv.Itoa((int(right-'0')+1)%10), nil
}

// refuseRealNumber wants twelve digits with a wrong check digit: "my-number-refused" for
// a right one, since it could be somebody's.
func refuseRealNumber(number string) error {
	if len(number) != numberLength || !digits(number) {
		return warifu.Invalid("personality-invalid", "field", "number")
	}
	right, err := CheckDigit(number[:numberLength-1])
	if err != nil {
		return err
	}
	if number[numberLength-1] == right {
		return warifu.Refused("my-number-refused")
	}
	return nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
