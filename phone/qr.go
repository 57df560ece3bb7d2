package phone

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"

	"rsc.io/qr"
	"rsc.io/qr/coding"

	"warifu"
)

// QR is a QR code as the app shows it (ISO/IEC 18004), one bit a module.
type QR struct{ code *qr.Code }

// qrLetters are the 45 characters of the alphanumeric mode, in the order of their values.
const qrLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// modeAlphanumeric is the mode's indicator (ISO/IEC 18004 table 2).
const modeAlphanumeric = 2

// countBits is the length of the character count (ISO/IEC 18004 table 3).
func countBits(v coding.Version) int {
	switch {
	case v <= 9:
		return 9
	case v <= 26:
		return 11
	}
	return 13
}

// MakeQR makes the smallest code that holds the text at level L. The text is of the
// alphanumeric characters. TooLarge "clean-code-too-large" where no code holds it.
func MakeQR(text string) (QR, error) {
	if strings.Trim(text, qrLetters) != "" {
		return QR{}, warifu.Invalid("clean-code-malformed")
	}
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return QR{}, warifu.TooLarge("clean-code-too-large").With(err)
	}
	code.Scale = qrScale
	return QR{code}, nil
}

// qrScale is how many pixels wide a module of a PNG is.
const qrScale = 6

// PNG is the code as an image, with the quiet zone of four modules.
func (q QR) PNG() []byte { return q.code.PNG() }

// Outline is the code as the outline of an SVG, one unit a module: the view box with the quiet
// zone of four modules, and the path of the dark modules.
func (q QR) Outline() (viewBox, path string) {
	var b strings.Builder
	for y := range q.code.Size {
		for x := 0; x < q.code.Size; x++ {
			from := x
			for x < q.code.Size && q.code.Black(x, y) {
				x++
			}
			if x > from { // a run of dark modules
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	side := q.code.Size + 8
	return fmt.Sprintf("-4 -4 %d %d", side, side), b.String()
}

// Terminal is the code for a terminal: two rows of modules a line, dark modules drawn as
// blanks on a light ground, so that a camera reads it off a dark screen.
func (q QR) Terminal() string {
	const quiet = 2
	light := func(x, y int) bool { return y < q.code.Size+quiet && !q.code.Black(x, y) }
	var b strings.Builder
	for y := -quiet; y < q.code.Size+quiet; y += 2 {
		for x := -quiet; x < q.code.Size+quiet; x++ {
			switch up, down := light(x, y), light(x, y+1); {
			case up && down:
				b.WriteRune('█')
			case up:
				b.WriteRune('▀')
			case down:
				b.WriteRune('▄')
			default:
				b.WriteRune(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// maxQRImage bounds an image that is read, in pixels of a side; maxQRFile in octets.
const (
	maxQRImage = 4096
	maxQRFile  = 4 << 20
)

// ReadQR reads the text of a code from a PNG as PNG wrote it, or another program, straight and
// unharmed: it repairs nothing, so it is for saved images and not for photographs, which a
// camera's own reader turns into text. Invalid "qr-unreadable".
func ReadQR(file []byte) (string, error) {
	unreadable := warifu.Invalid("qr-unreadable")
	config, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil || len(file) > maxQRFile || config.Width > maxQRImage || config.Height > maxQRImage {
		return "", unreadable.With(err)
	}
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return "", unreadable.With(err)
	}
	modules, ok := modulesOf(picture)
	if !ok {
		return "", unreadable
	}
	plan, ok := planOf(modules)
	if !ok {
		return "", unreadable
	}
	text, ok := textOf(plan, modules)
	if !ok {
		return "", unreadable
	}
	return text, nil
}

// modulesOf finds the square of modules: the dark box that everything dark lies in, and in
// it the width of a module by the finder pattern's upper edge, which is seven modules long.
func modulesOf(p image.Image) ([][]bool, bool) {
	dark := func(x, y int) bool { r, g, b, _ := p.At(x, y).RGBA(); return r+g+b < 3*0x8000 }
	var box image.Rectangle
	for y := p.Bounds().Min.Y; y < p.Bounds().Max.Y; y++ {
		for x := p.Bounds().Min.X; x < p.Bounds().Max.X; x++ {
			if dark(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	edge := 0
	for box.Min.X+edge < box.Max.X && dark(box.Min.X+edge, box.Min.Y) {
		edge++
	}
	width := edge / 7
	if width == 0 || edge%7 != 0 || box.Dx() != box.Dy() || box.Dx()%width != 0 {
		return nil, false
	}
	size := box.Dx() / width
	if size < 21 || size > 177 || (size-17)%4 != 0 {
		return nil, false
	}
	out := make([][]bool, size)
	for y := range out {
		out[y] = make([]bool, size)
		for x := range out[y] {
			out[y][x] = dark(box.Min.X+x*width+width/2, box.Min.Y+y*width+width/2)
		}
	}
	return out, true
}

// planOf finds the level and mask whose format information stands in the code.
func planOf(modules [][]bool) (*coding.Plan, bool) {
	version := coding.Version((len(modules) - 17) / 4)
	for level := coding.L; level <= coding.H; level++ {
		for mask := range coding.Mask(8) {
			plan, err := coding.NewPlan(version, level, mask)
			if err == nil && formatted(plan, modules) {
				return plan, true
			}
		}
	}
	return nil, false
}

func formatted(plan *coding.Plan, modules [][]bool) bool {
	for y, row := range plan.Pixel {
		for x, pixel := range row {
			if pixel.Role() == coding.Format && (pixel&coding.Black != 0) != modules[y][x] {
				return false
			}
		}
	}
	return true
}

// textOf reads the data modules, which a plan's inverted pixels mask, as one segment of the
// alphanumeric mode.
func textOf(plan *coding.Plan, modules [][]bool) (string, bool) {
	bits := make([]byte, plan.DataBytes*8)
	for y, row := range plan.Pixel {
		for x, pixel := range row {
			if pixel.Role() == coding.Data && (pixel&coding.Black != 0) != modules[y][x] {
				bits[pixel.Offset()] = 1
			}
		}
	}
	take := func(n int) (v uint) {
		for _, b := range bits[:n] {
			v = v<<1 | uint(b)
		}
		bits = bits[n:]
		return v
	}
	if take(4) != modeAlphanumeric {
		return "", false
	}
	count := int(take(countBits(plan.Version)))
	if (11*count+1)/2 > len(bits) {
		return "", false
	}
	var out []byte
	for ; count >= 2; count -= 2 {
		v := take(11)
		if v >= 45*45 {
			return "", false
		}
		out = append(out, qrLetters[v/45], qrLetters[v%45])
	}
	if count == 1 {
		v := take(6)
		if v >= 45 {
			return "", false
		}
		out = append(out, qrLetters[v])
	}
	return string(out), true
}
