package sheet_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warifu/document"
	"warifu/sandbox/sheet"
)

func sample(lines int) []byte {
	s := sheet.Sheet{Mark: "見本 SAMPLE"}
	s.Heading("携帯電話利用契約書 Mobile contract")
	s.Pair("氏名 Name", "葛󠄁城　薫")
	s.Pair("住所 Address", strings.Repeat("奈良県葛城市柿本166番地", 6))
	s.Pair("備考 Note", `(brackets) and \ backslashes )`)
	s.Gap()
	for range lines {
		s.Line("This line is long enough to be broken at the end of the page, 日本語と英語が混ざっていても切れるところで切れます。 " + strings.Repeat("長", 30))
	}
	return s.PDF()
}

// The strict reader of signed documents takes the file, and so does another reader of PDF,
// which finds the text again.
func TestASheetIsAFileOthersRead(t *testing.T) {
	file := sample(60)
	if !bytes.Equal(file, sample(60)) {
		t.Error("the same content makes other octets")
	}
	if _, err := document.ReadPDF(file); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "sheet.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := exec.LookPath("qpdf"); err == nil {
		if out, err := exec.Command(path, "--check", name).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %s", out)
		}
	} else {
		t.Log("qpdf is not here: the file was read by our own reader alone")
	}
}

// A line that does not fit goes on in the next, and nothing of it is lost.
func TestLinesAreBrokenAndPagesTurned(t *testing.T) {
	if one, many := bytes.Count(sample(1), []byte("/Type /Page ")), bytes.Count(sample(60), []byte("/Type /Page ")); one != 1 || many < 3 {
		t.Errorf("%d and %d pages", one, many)
	}
	if file := sample(1); bytes.Contains(file, []byte("DB40DD01")) {
		t.Error("a variation selector is in the file")
	}
	var s sheet.Sheet
	s.Line(strings.Repeat("長", 100))
	if got := bytes.Count(s.PDF(), []byte("9577")); got != 100 {
		t.Errorf("%d of 100 characters", got)
	}
}
