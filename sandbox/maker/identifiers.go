package maker

import (
	"cmp"
	"crypto/rand"
	"math/big"
	"strings"
)

// testTAC is the type allocation code of every phone made here. Codes that begin with 00
// are for test equipment and are given to no model on sale (3GPP TS 23.003 §6.2, GSMA TS.06).
const testTAC = "00154071"

// newIdentifiers draws an IMEI and a serial number.
func newIdentifiers() (imei, serial string, err error) {
	if imei, err = draw("0123456789", 6); err != nil {
		return "", "", err
	}
	serial, err = draw("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 10)
	return withLuhn(testTAC + imei), "W" + serial, err
}

// withLuhn appends the check digit of 3GPP TS 23.003 annex B: every second digit from
// the right doubled, all digits summed, what is missing to a multiple of ten.
func withLuhn(digits string) string {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

func draw(alphabet string, n int) (string, error) {
	var b strings.Builder
	for range n {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		b.WriteByte(alphabet[k.Int64()])
	}
	return b.String(), nil
}

// compareIDs puts "phone-9" before "phone-10".
func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
