package face_test

import (
	"bytes"
	"compress/gzip"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu/face"
	"warifu/text"
)

func asked(method, path string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://place"+path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func served(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	face.Assets().ServeHTTP(w, r)
	return w
}

// A file whose address carries its content's hash is kept for good; by another it is asked
// about again. It is packed for who takes that, and the same when unpacked.
func TestAssetsAreKeptAndPacked(t *testing.T) {
	plain := served(asked("GET", "/assets/warifu.css"))
	packed := served(asked("GET", "/assets/warifu.css", "Accept-Encoding", "br, gzip;q=0.8"))
	if got := plain.Header(); got.Get("Cache-Control") != "public, no-cache" || got.Get("Content-Encoding") != "" || !strings.HasPrefix(got.Get("Content-Type"), "text/css") {
		t.Errorf("plain: %v", got)
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("not packed: %v, %v", err, packed.Header())
	}
	if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) {
		t.Errorf("unpacked it is something else: %v", err)
	}
	for _, refused := range []string{"", "gzip;q=0", "identity", "gzip;q=0.0"} {
		if w := served(asked("GET", "/assets/warifu.css", "Accept-Encoding", refused)); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("packed for %q", refused)
		}
	}
	tag := packed.Header().Get("ETag")
	if w := served(asked("GET", "/assets/warifu.css", "Accept-Encoding", "gzip", "If-None-Match", tag)); w.Code != http.StatusNotModified {
		t.Errorf("unchanged, but status %d", w.Code)
	}
	if plain.Header().Get("ETag") == tag {
		t.Error("packed and plain have one ETag")
	}
	page := drawn(t, `{{style "warifu.css"}}`, nil)
	_, rest, _ := strings.Cut(page, `href="`)
	linked, _, _ := strings.Cut(rest, `"`)
	if w := served(asked("GET", linked)); !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %v", linked, w.Header())
	}
}

// htmx is there, is linked deferred, and brings no styles along that the policy forbids.
func TestScriptsStandUnderTheStrictPolicy(t *testing.T) {
	tag := drawn(t, `{{script "htmx.min.js"}}`, nil)
	for _, want := range []string{`src="/assets/htmx.min.js?v=`, " defer>", `"includeIndicatorCSS":false`} {
		if !strings.Contains(tag, want) {
			t.Errorf("%s lacks %s", tag, want)
		}
	}
	if w := served(asked("GET", "/assets/htmx.min.js")); w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// What a reader chose holds on the next page and at the next place; a choice that is none
// is not kept.
func TestChoicesAreRemembered(t *testing.T) {
	for query, want := range map[string]string{"lang=en": "warifu-lang=en", "era=on": "warifu-era=on", "lang=xx": "", "era=maybe": "", "": ""} {
		w := httptest.NewRecorder()
		face.Remember(w, asked("GET", "/?"+query))
		if got := w.Header().Get("Set-Cookie"); (want == "") != (got == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", query, got)
		}
	}
	r := asked("GET", "/", "Accept-Language", "ja", "Cookie", "warifu-lang=en; warifu-era=on")
	if face.Lang(r) != text.English || !face.Era(r) {
		t.Error("the cookies are not read")
	}
	r = asked("GET", "/?lang=ja&era=off", "Cookie", "warifu-lang=en; warifu-era=on")
	if face.Lang(r) != text.Japanese || face.Era(r) {
		t.Error("a new choice does not go before the old one")
	}
	if face.Lang(asked("GET", "/", "Cookie", "warifu-lang=<b>", "Accept-Language", "en")) != text.English {
		t.Error("a cookie that is no language is followed")
	}
}

// Changing the language keeps the question; after a form it leads to the form.
func TestSwitchesKeepThePage(t *testing.T) {
	if got := face.SwitchesOf(asked("GET", "/x?day=7&lang=en")); got.Japanese != "?day=7&lang=ja" || got.Eras != "?day=7&era=on" {
		t.Errorf("%+v", got)
	}
	if got := face.SwitchesOf(asked("POST", "/x/do", "Referer", "http://place/x?a=1")); got.English != "/x?a=1&lang=en" {
		t.Errorf("%+v", got)
	}
	for _, foreign := range []string{"http://elsewhere/x", "", "::", "javascript:1"} {
		if got := face.SwitchesOf(asked("POST", "/x/do", "Referer", foreign)); got.English != "/?lang=en" {
			t.Errorf("%s: %+v", foreign, got)
		}
	}
}

func TestYearsByEras(t *testing.T) {
	page := face.Later(func() *template.Template {
		return template.Must(face.Framed("page").Parse(`{{define "d"}}{{date "ja" .}} {{when "en" .}}{{end}}`))
	})
	for day, want := range map[string]string{
		"2026-06-10": "令和8年6月10日", "2019-05-01": "令和元年5月1日", "2019-04-30": "平成31年4月30日", "1989-01-08": "平成元年1月8日", "1989-01-07": "昭和64年1月7日",
		"1926-12-25": "昭和元年12月25日", "1926-12-24": "大正15年12月24日", "1912-07-29": "明治45年7月29日", "1873-01-01": "明治6年1月1日", "1872-12-31": "1872年12月31日",
	} {
		at, err := time.Parse("2006-01-02 15:04 -0700", day+" 00:00 +0900")
		if err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]string{"era=on": want, "": face.Date(at, text.Japanese)} {
			var b strings.Builder
			if err := face.For(page, asked("GET", "/?"+query)).ExecuteTemplate(&b, "d", at); err != nil {
				t.Fatal(err)
			}
			if want += " " + face.When(at, text.English); b.String() != want {
				t.Errorf("%s %s: %q, want %q", day, query, b.String(), want)
			}
		}
	}
}

// A page is packed where that is safe: not for what another site had the browser ask.
func TestPagesArePacked(t *testing.T) {
	page := []byte(strings.Repeat("<p>割符</p>", 500))
	for site, want := range map[string]string{"": "gzip", "none": "gzip", "same-origin": "gzip", "cross-site": "", "same-site": ""} {
		w := httptest.NewRecorder()
		if err := face.Write(w, asked("GET", "/", "Accept-Encoding", "gzip", "Sec-Fetch-Site", site), http.StatusOK, page); err != nil {
			t.Fatal(err)
		}
		if w.Header().Get("Content-Encoding") != want || (want != "" && w.Body.Len() > len(page)/4) {
			t.Errorf("%q: %v, %d octets", site, w.Header(), w.Body.Len())
		}
	}
}

// Pages are parsed when they are first drawn; here every one is, for both calendars.
func TestEveryPageIsParsed(t *testing.T) {
	found, err := filepath.Glob("templates/*/*.html")
	if err != nil || len(found) < 100 {
		t.Fatalf("%d pages, %v", len(found), err)
	}
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), `{{define "body"}}`) {
			continue
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "templates/"), ".html")
		place, own, _ := strings.Cut(name, "/")
		var page *template.Template
		switch place {
		case "phone":
			page = face.Phone(own)
		case "console":
			page = face.ConsolePage(own)
		case "kiosk", "clinic":
			page = face.Terminal(name)
		case "desk":
			page = face.Place(name, "desk/parts")
		default:
			page = face.Place(name)
		}
		for _, query := range []string{"", "era=on"} {
			if face.For(page, asked("GET", "/?"+query)).Lookup("page") == nil {
				t.Errorf("%s?%s has no page", name, query)
			}
		}
	}
}

func TestMonthsAreToldByEraToo(t *testing.T) {
	at := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	for want, got := range map[string]string{
		"2026年11月": face.Month(at, text.Japanese, false), "令和8年11月": face.Month(at, text.Japanese, true), "November 2026": face.Month(at, text.English, true),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
