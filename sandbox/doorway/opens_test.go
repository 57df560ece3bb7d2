package doorway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/sandbox/doorway"
	"warifu/scheme"
)

type stopped time.Time

func (s stopped) Now() time.Time { return time.Time(s) }

// K6: a service answers from the first instant of its opening date in Tokyo, and before that
// tells the date.
func TestAServiceOpensOnItsDate(t *testing.T) {
	s, err := scheme.Shipped("jp-mobile-2023")
	if err != nil {
		t.Fatal(err)
	}
	get := func(service, at, path string) (int, string) {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		open := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "open") })
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Language", "en")
		doorway.Opens(open, s, service, "bank.title", stopped(now)).ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for _, c := range []struct {
		service, at, path string
		status            int
		says              string
	}{
		{"portal", "2023-05-10T23:59:59+09:00", "/", http.StatusForbidden, "2023-05-11"},
		{"portal", "2023-05-10T23:59:59+09:00", "/api/me", http.StatusForbidden, "urn:warifu:problem:service-not-yet"},
		{"portal", "2023-05-11T00:00:00+09:00", "/", http.StatusOK, "open"},
		{"moving", "2023-06-30T23:59:59+09:00", "/", http.StatusForbidden, "2023-07-01"},
		{"casino", "2030-01-01T00:00:00+09:00", "/api/x", http.StatusForbidden, "urn:warifu:problem:service-absent"},
	} {
		if status, body := get(c.service, c.at, c.path); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s at %s: %d %s", c.service, c.at, status, body)
		}
	}
}
