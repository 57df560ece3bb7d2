package jpki

import (
	"bytes"
	"encoding/binary"
	"strings"

	"warifu"
)

// Labels of EF 0006 (docs/card-facts.md §1.4): they say which chip answers.
const (
	LabelResident = "JPKIAPICCTOKEN"   // 住民基本台帳カード, the older card
	LabelCard     = "JPKIAPICCTOKEN2"  // マイナンバーカード
	LabelPhone    = "JPKIAPGPSETOKEN"  // an Android phone's GP-SE
	LabelIPhone   = "JPKIAPIOSTOKEN"   // an iPhone
	LabelBadge    = "WARIFUBADGETOKEN" // this house's own: P-256 on a phone (scheme badge)
)

// tokenLength is the length of EF 0006; clients check it.
const tokenLength = 160

// TokenInfo is EF 0006: the fields of PKCS#11's CK_TOKEN_INFO that differ between
// chips. The others are the same on every chip and are written by Bytes.
type TokenInfo struct {
	Label        string // at most 32 octets
	Manufacturer string // at most 32
	Model        string // at most 16
	Serial       string // at most 16
}

// Bytes writes the 160 octets of EF 0006: text padded with spaces (one client trims
// nothing else), numbers of four octets, the higher first.
func (t TokenInfo) Bytes() []byte {
	out := make([]byte, 0, tokenLength)
	out = appendPadded(out, t.Label, 32)
	out = appendPadded(out, t.Manufacturer, 32)
	out = appendPadded(out, t.Model, 16)
	out = appendPadded(out, t.Serial, 16)
	// flags RNG|LOGIN_REQUIRED|USER_PIN_INITIALIZED|TOKEN_INITIALIZED; max and open
	// sessions; the same, writing; longest and shortest PIN; four sizes of memory, unknown.
	for _, n := range []uint32{0x0000040D, 1, 0, 1, 0, 16, 6, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF} {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	out = append(out, "0301"...)                   // hardware and firmware version
	return append(out, strings.Repeat("9", 16)...) // time: none
}

// ParseTokenInfo reads EF 0006.
func ParseTokenInfo(b []byte) (TokenInfo, error) {
	if len(b) != tokenLength {
		return TokenInfo{}, warifu.Invalid("token-malformed")
	}
	return TokenInfo{
		Label:        trimPadding(b[:32]),
		Manufacturer: trimPadding(b[32:64]),
		Model:        trimPadding(b[64:80]),
		Serial:       trimPadding(b[80:96]),
	}, nil
}

// isPhone reports whether a chip with this label is a phone's.
func isPhone(label string) bool {
	return label == LabelPhone || label == LabelIPhone || label == LabelBadge
}

func appendPadded(dst []byte, s string, width int) []byte {
	if len(s) > width {
		s = s[:width]
	}
	return append(append(dst, s...), strings.Repeat(" ", width-len(s))...)
}

func trimPadding(b []byte) string { return string(bytes.TrimRight(b, " \x00")) }
