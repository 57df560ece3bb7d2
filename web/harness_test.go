package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"warifu/internal/housetest"
	"warifu/web"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a house's site, changed by the test where it wants.
func site(t *testing.T, change ...func(*web.Config)) (*housetest.House, http.Handler) {
	t.Helper()
	h := housetest.New(t, housetest.Options{})
	c := h.SiteConfig()
	for _, f := range change {
		f(&c)
	}
	return h, web.New(c)
}

// ask sends one request; headers are name, value, name, value.
func ask(site http.Handler, method, target, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://warifu.test"+target, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5000"
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	return w.Result()
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	return string(b)
}

// problem reads an answer that must be one, in both languages, with what to do next.
func problem(t testing.TB, r *http.Response, status int, slug string) web.Problem {
	t.Helper()
	body := text(t, r)
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", r.StatusCode, status, body)
	}
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	var p web.Problem
	must(t, json.Unmarshal([]byte(body), &p))
	if p.Type != web.ProblemPrefix+slug || p.Status != status {
		t.Errorf("problem %s with status %d, want %s with %d", p.Type, p.Status, slug, status)
	}
	for name, sentence := range map[string]string{"title": p.Title, "titleJa": p.TitleJa, "titleEn": p.TitleEn, "next": p.Next, "nextJa": p.NextJa, "nextEn": p.NextEn} {
		if sentence == "" || strings.ContainsAny(sentence, "{}") {
			t.Errorf("%s: %s is %q", slug, name, sentence)
		}
	}
	if p.TitleJa == p.TitleEn || p.NextJa == p.NextEn {
		t.Errorf("%s says the same in both languages", slug)
	}
	return p
}

// element is a secure element that exists nowhere.
const element = "00112233445566778899aabbccddeeff"
