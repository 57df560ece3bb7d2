package doorway_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"warifu"
	"warifu/sandbox/doorway"
)

func post(t *testing.T, kind, body string, limit int64) (in struct{ A int }, err error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	err = doorway.Read(httptest.NewRecorder(), r, limit, &in)
	return in, err
}

func TestRequestsAreReadStrictly(t *testing.T) {
	if in, err := post(t, "application/json; charset=utf-8", `{"A":1}`, 100); err != nil || in.A != 1 {
		t.Errorf("a plain request: %+v, %v", in, err)
	}
	for what, c := range map[string]struct{ kind, body, slug string }{
		"a form":        {"application/x-www-form-urlencoded", `{"A":1}`, "sandbox-request-malformed"},
		"an extra":      {"application/json", `{"A":1,"B":2}`, "sandbox-request-malformed"},
		"two values":    {"application/json", `{"A":1}{"A":2}`, "sandbox-request-malformed"},
		"no JSON":       {"application/json", `A=1`, "sandbox-request-malformed"},
		"an empty body": {"application/json", ``, "sandbox-request-malformed"},
		"too much":      {"application/json", `{"A":` + strings.Repeat(" ", 200) + `1}`, "sandbox-request-too-large"},
	} {
		if _, err := post(t, c.kind, c.body, 100); warifu.ProblemOf(err).Problem != c.slug {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestInternalErrorsTellTheAskerNothing(t *testing.T) {
	w := httptest.NewRecorder()
	doorway.Refuse(w, errors.New("password TARO1980 in a stack trace"))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "TARO1980") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("type %q", got)
	}
}

func TestARefusalSurvivesTheWayToAClient(t *testing.T) {
	site := httptest.NewServer(doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) {
		return nil, warifu.Conflict("world-ports", "ports", "127.0.0.1:8400")
	}))
	defer site.Close()
	err := doorway.NewClient(site.URL).Get(t.Context(), "/", nil)
	e := warifu.ProblemOf(err)
	if e.Code != warifu.CodeConflict || e.Problem != "world-ports" || e.Params["ports"] != "127.0.0.1:8400" {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"A":1}`)
	f.Add(`{"A":1e99}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, body string) {
		_, err := post(t, "application/json", body, 64)
		if slug := warifu.ProblemOf(err); err != nil && !strings.HasPrefix(slug.Problem, "sandbox-request-") {
			t.Errorf("%q: %v", body, err)
		}
	})
}
