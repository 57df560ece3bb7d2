package face_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/face"
)

// hands is a clock that a test turns.
type hands struct{ time.Time }

func (h *hands) Now() time.Time { return h.Time }

// What a form was answered with is read in the other language and calendar without sending the
// form again, by the browser that sent it alone, and for ten minutes.
func TestAnAnswerIsReadInTheOtherLanguage(t *testing.T) {
	clock, done := &hands{time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)}, 0
	place := face.NewAnswers(clock, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }).Within(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				done++
			}
			if r.URL.Path == "/back" { // which is taken but once, though nothing is sent
				done++
				r = face.Once(r)
			}
			number := done
			if _, err := face.Draw(w, r, http.StatusConflict, func(r *http.Request) ([]byte, error) {
				return fmt.Appendf(nil, "%s %v %d %s", face.Lang(r), face.Era(r), number, face.SwitchesOf(r).English), nil
			}); err != nil {
				t.Error(err)
			}
		}))
	ask := func(method, target string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, target, nil)
		r.Header.Set("Accept-Language", "ja")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		place.ServeHTTP(w, r)
		return w
	}
	if w := ask("GET", "http://place:80/x"); w.Body.String() != "ja false 0 ?lang=en" || len(w.Result().Cookies()) > 0 {
		t.Errorf("a page that can be asked for again: %s", w.Body)
	}
	sent := ask("POST", "http://place:80/x")
	cookies := sent.Result().Cookies()
	said, address, _ := strings.Cut(sent.Body.String(), " 1 ")
	if said != "ja false" || !strings.HasPrefix(address, "/answers/") || len(cookies) != 1 || !cookies[0].HttpOnly {
		t.Fatalf("%s %v", sent.Body, cookies)
	}
	for query, want := range map[string]string{"?lang=en": "en false 1 ", "?lang=ja": "ja false 1 ", "?era=on": "ja true 1 ", "": "ja false 1 "} {
		w := ask("GET", "http://place:80"+strings.TrimSuffix(address, "?lang=en")+query, cookies...)
		if w.Code != http.StatusConflict || w.Body.String() != want+address {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	back := ask("GET", "http://place:80/back?code=x", cookies...)
	said, address, _ = strings.Cut(back.Body.String(), " 2 ")
	if there := ask("GET", "http://place:80"+address, cookies...); said != "ja false" || !strings.HasPrefix(address, "/answers/") || there.Body.String() != "en false 2 "+address {
		t.Errorf("what is taken but once: %s, %s", back.Body, there.Body)
	}
	done--
	second := ask("POST", "http://place:80/x", cookies...)
	if len(second.Result().Cookies()) > 0 || done != 2 {
		t.Error("a second answer of one browser has a cookie of its own")
	}
	foreign := ask("POST", "http://place:80/x").Result().Cookies()
	for what, w := range map[string]*httptest.ResponseRecorder{
		"without the cookie": ask("GET", "http://place:80"+address), "another browser": ask("GET", "http://place:80"+address, foreign...),
		"nobody's": ask("GET", "http://place:80/answers/x?lang=en", cookies...),
	} {
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	clock.Time = clock.Add(11 * time.Minute)
	if w := ask("GET", "http://place:80"+address, cookies...); w.Code != http.StatusNotFound {
		t.Errorf("after eleven minutes: %d", w.Code)
	}
}

// However much is sent, what is kept is bounded: the oldest goes first.
func TestAnswersAreBounded(t *testing.T) {
	page := []byte(strings.Repeat("x", 1<<20))
	place := face.NewAnswers(&hands{time.Unix(0, 0)}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }).Within(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-At", "")
			_, _ = face.Draw(w, r, http.StatusOK, func(r *http.Request) ([]byte, error) {
				w.Header().Set("X-At", face.SwitchesOf(r).English)
				return page, nil
			})
		}))
	var first, last string
	var whose []*http.Cookie
	for i := range 4 {
		r := httptest.NewRequest("POST", "http://place/x", nil)
		for _, c := range whose {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		place.ServeHTTP(w, r)
		if last = w.Header().Get("X-At"); i == 0 {
			first, whose = last, w.Result().Cookies()
		}
	}
	for address, want := range map[string]int{first: http.StatusNotFound, last: http.StatusOK} {
		r := httptest.NewRequest("GET", "http://place"+address, nil)
		for _, c := range whose {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		if place.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d, want %d", address, w.Code, want)
		}
	}
}
