package face_test

import (
	"strings"
	"testing"
)

// A name keeps its own language on a page in another, is escaped, and loses its marks in an
// attribute, where no element can stand.
func TestNamesKeepTheirLanguage(t *testing.T) {
	for body, want := range map[string]string{
		`{{named "en" .}}`:                                   `<span lang="ja" translate="no">割符</span>&lt;7&gt;`,
		`{{named "ja" .}}`:                                   `割符&lt;7&gt;`,
		`<option{{foreign "en" .}}>{{.}}</option>`:           `<option lang="ja" translate="no">割符&lt;7&gt;</option>`,
		`{{say "en" "login.page.who" "name" .}}`:             `<span lang="ja" translate="no">割符</span>&lt;7&gt;`,
		`<p title="{{say "en" "login.page.who" "name" .}}">`: `割符&lt;7&gt;`,
	} {
		if got := drawn(t, body, "割符<7>"); !strings.Contains(got, want) || strings.Contains(got, "<7>") {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	if got := drawn(t, `<p title="{{say "en" "login.page.who" "name" .}}">`, "割符"); strings.Contains(got, "span") {
		t.Errorf("an element inside an attribute: %s", got)
	}
	if got := drawn(t, `{{named "en" .}}`, "taro · 高橋［佐藤］　京子"); got != `taro · <span lang="ja" translate="no">高橋［佐藤］　京子</span>` {
		t.Error(got)
	}
	if got := drawn(t, `{{named "ja" .}}`, "Alexandra Maria"); got != `<span translate="no">Alexandra Maria</span>` {
		t.Error(got)
	}
	if got := drawn(t, `{{say "en" "part.tries" "n" "⟦0⟧"}}`, nil); got != "⟦0⟧ tries left" {
		t.Error(got)
	}
}
