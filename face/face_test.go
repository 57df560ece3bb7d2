package face_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/face"
	"warifu/text"
)

func render(t *testing.T, name string, p face.Page) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	draw := func(r *http.Request) ([]byte, error) { return face.Drawn(r, name, p) }
	if _, err := face.Draw(w, httptest.NewRequest("GET", "http://x/", nil), http.StatusTeapot, draw); err != nil {
		t.Fatal(err)
	}
	return w
}

// bareKey is a key of the catalogue that no sentence took the place of.
var bareKey = regexp.MustCompile(`\bface\.[a-z.]+`)

type place struct{ Address, Key string }

type audience struct {
	Name, Icon string
	Ways       []place
}

type sorry struct{ Title, Detail, Next string }

func TestPageInBothLanguages(t *testing.T) {
	for _, lang := range text.Languages {
		for name, data := range map[string]any{
			"home": []audience{{"holders", "person", []place{{"/devices", "face.home.devices"}}}}, "problem": sorry{"何か", "詳しく", "次に"},
		} {
			w := render(t, name, face.Page{Lang: lang, Title: "face." + name + ".title", Data: data})
			body := w.Body.String()
			if w.Code != http.StatusTeapot || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %d %q", name, w.Code, w.Header().Get("Content-Type"))
			}
			if found := bareKey.FindString(body); found != "" {
				t.Errorf("%s in %s shows the key %s", name, lang, found)
			}
			for _, want := range []string{`<html lang="` + string(lang) + `">`, `class="band"`, `<main id="main" class="`, `<h1>`, `href="?lang=ja"`, `href="?lang=en"`, `/assets/warifu.css`} {
				if !strings.Contains(body, want) {
					t.Errorf("%s in %s lacks %s", name, lang, want)
				}
			}
		}
	}
}

func TestWhatIsShownIsEscaped(t *testing.T) {
	w := render(t, "problem", face.Page{Lang: text.Japanese, Title: "face.problem.title", Data: sorry{`<script>x</script>`, `"'><img src=x>`, `&amp;`}})
	if body := w.Body.String(); strings.Contains(body, "<script>") || strings.Contains(body, "<img") || !strings.Contains(body, "&amp;amp;") {
		t.Errorf("not escaped: %s", body)
	}
}

// A template that fails writes nothing, so that the caller may answer otherwise.
func TestFailingTemplateWritesNothing(t *testing.T) {
	for name, data := range map[string]any{"no such page": nil, "problem": 7} {
		w := httptest.NewRecorder()
		written, err := face.Draw(w, httptest.NewRequest("GET", "http://x/", nil), 200, func(r *http.Request) ([]byte, error) {
			return face.Drawn(r, name, face.Page{Lang: text.English, Title: "face.problem.title", Data: data})
		})
		if err == nil || written || w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: written %t, %d octets, %v, %v", name, written, w.Body.Len(), w.Header(), err)
		}
	}
}

func TestDatesAreToldInJapansTime(t *testing.T) {
	at := time.Date(2026, 6, 9, 22, 30, 0, 0, time.UTC)
	for lang, want := range map[text.Lang][2]string{
		text.Japanese: {"2026年6月10日 07時30分", "2026年6月10日"}, text.English: {"10 June 2026, 07:30 JST", "10 June 2026"},
	} {
		if when, date := face.When(at, lang), face.Date(at, lang); when != want[0] || date != want[1] {
			t.Errorf("%s: %q, %q", lang, when, date)
		}
		if face.When(time.Time{}, lang) != "—" || face.Date(time.Time{}, lang) != "—" {
			t.Errorf("%s: no time is told as one", lang)
		}
	}
}

func TestAssets(t *testing.T) {
	for path, status := range map[string]int{"/assets/warifu.css": 200, "/assets/nothing.js": 404, "/assets/../face.go": 404} {
		w := httptest.NewRecorder()
		face.Assets().ServeHTTP(w, httptest.NewRequest("GET", "http://x"+path, nil))
		if w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
	w := httptest.NewRecorder()
	face.Assets().ServeHTTP(w, httptest.NewRequest("GET", "http://x/assets/", nil))
	if strings.Contains(w.Body.String(), "warifu.css") {
		t.Error("the folder lists itself")
	}
}
