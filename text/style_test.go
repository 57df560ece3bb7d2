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
		{regexp.MustCompile(`一時利用停止[^の]`), "一時停止, as the buttons say; the consent keeps the law's word"},
		{regexp.MustCompile(`利用者証明用の暗証番号|利用者証明用パスワード`), "利用者証明用暗証番号"},
		{regexp.MustCompile(`署名用の?暗証番号`), "署名用パスワード"},
		{regexp.MustCompile(`スマートフォン用電子証明書`), "スマホ用電子証明書"},
		{regexp.MustCompile(`個人番号カード`), "マイナンバーカード"},
		{regexp.MustCompile(`読取機|リーダライタ`), "読み取り機, カードリーダー"},
		{regexp.MustCompile(`[0-9]けた`), "桁"},
		{regexp.MustCompile(`まちが`), "間違"},
		{regexp.MustCompile(`下さい|出来[るまなてた]|[^一]致し|頂[いき]`), "ください, できる, いたし, いただき"},
		{regexp.MustCompile(`再度`), "もう一度"},
		{regexp.MustCompile(`[０-９Ａ-Ｚａ-ｚ]`), "half-width letters and digits"},
		{regexp.MustCompile(`[ｦ-ﾟ]`), "full-width katakana"},
		{regexp.MustCompile(`運用者[^、]`), "運用担当者"},
		{regexp.MustCompile(`サーバ[^ー]|ブラウザ[^ー]|コンピュータ[^ー]|フォルダ[^ー]|パラメータ[^ー]`), "a final ー"},
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
