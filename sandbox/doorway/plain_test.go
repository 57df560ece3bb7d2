package doorway_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"warifu"
	"warifu/sandbox/doorway"
)

// Numbers are taken as people type them.
func TestNumbersAreReadAsTyped(t *testing.T) {
	for typed, want := range map[string]string{"５００": "500", "12,000円": "12000", "１２，０００": "12000", " 7999 9010 00001 ": "7999901000001", "-5": "-5", "": "", "x": "x"} {
		if got := doorway.Plain(typed); got != want {
			t.Errorf("%q is %q", typed, got)
		}
	}
}

// A field that a problem names is called what the page calls it, not what the interface does.
func TestAProblemNamesTheFieldAsThePageDoes(t *testing.T) {
	page := doorway.Template(`{{define "body"}}{{end}}`)
	for lang, want := range map[string]string{"ja": "生年月日", "en": "Date of birth"} {
		w := httptest.NewRecorder()
		doorway.Show(w, httptest.NewRequest("GET", "/?lang="+lang, nil), page, "tax.title", nil, warifu.Invalid("tax-malformed", "field", "birthDate"))
		if said := w.Body.String(); !strings.Contains(said, want) || strings.Contains(said, "「birthDate」") {
			t.Errorf("%s: %s", lang, said)
		}
	}
}
