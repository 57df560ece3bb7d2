package face_test

import (
	"html/template"
	"strings"
	"testing"
	"time"

	"warifu/face"
	"warifu/text"
)

func drawn(t *testing.T, body string, data any) string {
	t.Helper()
	set := template.Must(face.Framed("part").Parse(`{{define "page"}}` + body + `{{end}}`))
	var b strings.Builder
	if err := set.ExecuteTemplate(&b, "page", data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Where a secret is typed it is told whose it is by colour, picture and word, and the two
// never look alike (R28).
func TestTheTwoSecretsAreUnmistakable(t *testing.T) {
	for _, lang := range text.Languages {
		var seen []string
		for _, owner := range []string{"card", "phone"} {
			for _, kind := range []string{"signature", "authentication"} {
				s := drawn(t, `{{secret .Lang .Owner .Kind "pin" 3}}`, map[string]any{"Lang": lang, "Owner": owner, "Kind": kind})
				for _, want := range []string{`class="of-` + owner, "<svg", "3", `type="password"`, `autocomplete="off"`, text.Sentence("part.secret."+owner+"."+kind, lang, nil)} {
					if !strings.Contains(strings.ReplaceAll(s, "&#39;", "'"), want) {
						t.Errorf("%s %s %s lacks %q: %s", lang, owner, kind, want, s)
					}
				}
				if numeric := strings.Contains(s, `inputmode="numeric"`); numeric != (kind == "authentication") {
					t.Errorf("%s %s: numeric %t", owner, kind, numeric)
				}
				seen = append(seen, s)
			}
		}
		if seen[0] == seen[2] || seen[1] == seen[3] {
			t.Error("card and phone look alike")
		}
	}
	if s := drawn(t, `{{secret "en" "card" "signature" "x" -1}}`, nil); strings.Contains(s, "left") {
		t.Errorf("tries that nobody knows: %s", s)
	}
	if s := drawn(t, `{{secret "en" "card" "signature" "x" 1}}`, nil); !strings.Contains(s, "before it is locked") {
		t.Errorf("the last try is not told: %s", s)
	}
}

// A state is told by a picture and a word, not by a colour alone.
func TestEveryStateHasItsWordAndPicture(t *testing.T) {
	for _, name := range []string{"active", "good", "held", "locked", "pending", "submitted", "issued", "personalized", "revoked", "superseded", "expired", "rejected", "withdrawn", "lapsed", "none"} {
		for _, lang := range text.Languages {
			s := drawn(t, `{{state .Lang .Name}}`, map[string]any{"Lang": lang, "Name": name})
			if !strings.Contains(s, "<svg") || !strings.Contains(s, `class="tag`) || strings.Contains(s, "part.state") {
				t.Errorf("%s %s: %s", lang, name, s)
			}
		}
	}
	if s := drawn(t, `{{state "en" .}}`, "<b>"); !strings.Contains(s, "&lt;b&gt;") {
		t.Errorf("not escaped: %s", s)
	}
}

func TestStepsTimesAndCodes(t *testing.T) {
	if s := drawn(t, `{{steps "en" 3 11}}`, nil); strings.Count(s, "<li") != 11 || strings.Count(s, `class="past"`) != 2 || strings.Count(s, `aria-current="step"`) != 1 || !strings.Contains(s, "Step 3 of 11") {
		t.Errorf("steps: %s", s)
	}
	at := time.Date(2026, 6, 9, 22, 30, 0, 0, time.UTC)
	if s := drawn(t, `{{when "en" .}} {{date "ja" .}}`, at); s != "10 June 2026, 07:30 JST 2026年6月10日" {
		t.Errorf("times: %s", s)
	}
	if s := drawn(t, `{{code .}}`, face.Code{ViewBox: "0 0 9 9", Path: "M0 0h9", Label: "a code"}); !strings.Contains(s, `aria-label="a code"`) || !strings.Contains(s, "M0 0h9") {
		t.Errorf("code: %s", s)
	}
	if s := drawn(t, `{{say "en" "part.tries" "n" 4}}`, nil); s != "4 tries left" {
		t.Errorf("say: %s", s)
	}
}
