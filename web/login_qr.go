package web

import (
	"strconv"
	"strings"

	"rsc.io/qr"

	"warifu"
)

// QR is a QR code (ISO/IEC 18004) as the outline of an SVG, one unit a module.
type QR struct {
	Size int    // modules of a side, without the quiet zone
	Path string // of the dark modules
}

// NewQR makes the smallest code that holds the text at level M.
func NewQR(text string) (QR, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return QR{}, warifu.TooLarge("qr-too-large").With(err)
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from { // a run of dark modules
				run := strconv.Itoa(x - from)
				b.WriteString("M" + strconv.Itoa(from) + " " + strconv.Itoa(y) + "h" + run + "v1h-" + run + "z")
			}
		}
	}
	return QR{code.Size, b.String()}, nil
}

// ViewBox frames the code with its quiet zone of four modules.
func (q QR) ViewBox() string { return "-4 -4 " + strconv.Itoa(q.Size+8) + " " + strconv.Itoa(q.Size+8) }
