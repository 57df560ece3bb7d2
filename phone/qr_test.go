package phone_test

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"warifu/phone"
)

// A code of every size is read back from its image; from the terminal's drawing too.
func TestAQRCodeSaysWhatWasWrittenIntoIt(t *testing.T) {
	for n := 1; n <= 4296; n = n*3/2 + 1 {
		text := strings.Repeat("WARIFU-CLEAN1:Z7", n/16+1)[:n]
		q, err := phone.MakeQR(text)
		must(t, err)
		if got, err := phone.ReadQR(q.PNG()); err != nil || got != text {
			t.Fatalf("%d characters: read %.40q, %v", n, got, err)
		}
		if got, err := phone.ReadQR(drawn(t, q.Terminal())); err != nil || got != text {
			t.Fatalf("%d characters off the terminal: read %.40q, %v", n, got, err)
		}
	}
	_, err := phone.MakeQR(strings.Repeat("A", 4297))
	wantProblem(t, "more than fits", "clean-code-too-large", err)
	_, err = phone.MakeQR("lower case")
	wantProblem(t, "other characters", "clean-code-malformed", err)
}

// drawn takes a picture of a terminal: light blocks on a dark ground, one pixel a module.
func drawn(t *testing.T, terminal string) []byte {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(terminal, "\n"), "\n")
	shot := image.NewGray(image.Rect(0, 0, len([]rune(lines[0])), 2*len(lines)))
	for y, line := range lines {
		for x, r := range []rune(line) {
			if r == '█' || r == '▀' {
				shot.Pix[shot.PixOffset(x, 2*y)] = 0xFF
			}
			if r == '█' || r == '▄' {
				shot.Pix[shot.PixOffset(x, 2*y+1)] = 0xFF
			}
		}
	}
	side := shot.Rect.Dx() // the last line may have only an upper half
	var b bytes.Buffer
	must(t, png.Encode(&b, shot.SubImage(image.Rect(0, 0, side, side))))
	return b.Bytes()
}

func TestWhatIsNoQRCodeIsNotRead(t *testing.T) {
	blank := func(w, h int) []byte {
		var b bytes.Buffer
		must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))))
		return b.Bytes()
	}
	for name, file := range map[string][]byte{
		"nothing": nil, "no image": []byte("WARIFU-CLEAN1:"), "all dark": blank(21, 21), "too wide": blank(5000, 1), "a dark strip": blank(70, 10),
	} {
		_, err := phone.ReadQR(file)
		wantProblem(t, name, "qr-unreadable", err)
	}
}

func FuzzReadQR(f *testing.F) {
	q, err := phone.MakeQR("WARIFU-CLEAN1:ABC")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(q.PNG())
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if text, err := phone.ReadQR(file); err == nil && len(text) > 4296 {
			t.Errorf("%d characters", len(text))
		}
	})
}
