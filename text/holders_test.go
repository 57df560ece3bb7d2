package text_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// What the holders' pages quote of screens is what the screens say.
func TestTheHoldersPagesQuoteScreensAsTheyAre(t *testing.T) {
	files, err := filepath.Glob("catalogue/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	entry := regexp.MustCompile(`ja = "((?:[^"\\]|\\.)*)", en = "((?:[^"\\]|\\.)*)"`)
	said := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range entry.FindAllStringSubmatch(string(b), -1) {
			said[m[1]], said[m[2]] = true, true
		}
	}
	// Words in quotation marks that are nobody's screen.
	spoken := map[string]bool{" ": true, "わたしは本人です": true, "残っていません": true, "quotation marks": true, "残っていない": true, "-": true}
	quoted := 0
	quotes := map[string]string{}
	for _, page := range []string{"holders", "passwords", "buying-a-phone"} {
		quotes["../docs/"+page+".ja.md"], quotes["../docs/"+page+".md"] = `「([^」]*)」`, `“([^”]*)”`
	}
	for _, page := range []string{"losing-a-phone", "selling-a-phone"} {
		quotes["../docs/"+page+".ja.md"] = `「([^」]*)」`
	}
	for page, quote := range quotes {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all := regexp.MustCompile(quote).FindAllStringSubmatch(string(b), -1)
		quoted += len(all)
		for _, m := range all {
			if !said[m[1]] && !spoken[m[1]] {
				t.Errorf("%s: no screen says %q", page, m[1])
			}
		}
	}
	if quoted < 90 {
		t.Errorf("the pages quote only %d words of screens", quoted)
	}
}
