package doorway

import (
	"strconv"
	"strings"

	"warifu/text"
)

// Yen writes an amount as people read it: "52,000円", "-1,200 yen".
func (p Page) Yen(amount int) string {
	digits, sign := strconv.Itoa(amount), ""
	if strings.HasPrefix(digits, "-") {
		digits, sign = digits[1:], "-"
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return text.Sentence("sandbox.yen", p.Lang, map[string]string{"amount": sign + digits})
}
