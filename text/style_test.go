package text_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// One way of writing Japanese throughout: full-width brackets and colons beside
// Japanese letters, one wave dash, one word for one thing.
func TestJapaneseIsWrittenInOneWay(t *testing.T) {
	sentence := regexp.MustCompile(`ja = "((?:[^"\\]|\\.)*)"`)
	rules := []struct {
		wrong *regexp.Regexp
		right string
	}{
		{regexp.MustCompile(`[()]`), "（ and ）"},
		{regexp.MustCompile(`[\p{Han}\p{Hiragana}\p{Katakana}}）」]: ?`), "："},
		{regexp.MustCompile(`～`), "〜 (U+301C)"},
		{regexp.MustCompile(`スマホ[^用]|スマホ用[^電]`), "スマートフォン; スマホ only in スマホ用電子証明書"},
		{regexp.MustCompile(`最新の版`), "最新版"},
		{regexp.MustCompile(`カード(の)?発行(機関|所)`), "カード発行局"},
		{regexp.MustCompile(`砂場`), "サンドボックス"},
		{regexp.MustCompile(`ユーザー`), "利用者"},
	}
	files, err := filepath.Glob("catalogue/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			for _, m := range sentence.FindAllStringSubmatch(line, -1) {
				for _, r := range rules {
					if r.wrong.MatchString(m[1]) {
						t.Errorf("%s:%d: %s: write %s", f, i+1, m[1], r.right)
					}
				}
			}
		}
	}
}
