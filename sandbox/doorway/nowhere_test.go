package doorway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"warifu/sandbox/doorway"
)

// What no route answers is told in words: to people on a page with the way back, to programs as a
// problem, with the methods where the address has others.
func TestWhatNoRouteAnswersIsTold(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("front")) })
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("ordered")) })
	mux.HandleFunc("PUT /api/orders/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.PathValue("id"))) })
	site := doorway.Routed(mux)
	for _, c := range []struct {
		method, path string
		status       int
		says         string // on a page, or the problem's slug
		allow        string
	}{
		{"GET", "/", 200, "front", ""},
		{"POST", "/orders", 200, "ordered", ""},
		{"PUT", "/api/orders/7", 200, "7", ""},
		{"GET", "/orders", 404, "This page is not kept any more", ""},
		{"HEAD", "/orders", 404, "", ""},
		{"GET", "/nowhere", 404, "There is no such page", ""},
		{"POST", "/", 405, "method-unknown", "GET"},
		{"GET", "/api/orders/7", 405, "method-unknown", "PUT"},
		{"GET", "/api/nowhere", 404, "page-unknown", ""},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("Accept-Language", "en")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q: %s", c.method, c.path, w.Code, w.Header().Get("Allow"), w.Body)
		}
		if w.Header().Get("Content-Type") == "application/problem+json" {
			var p doorway.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != c.status {
				t.Errorf("%s %s: %+v, %v", c.method, c.path, p, err)
			}
		}
	}
}
