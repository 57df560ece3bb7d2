package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"warifu"
	"warifu/server"
)

func operatorsFile(entries ...string) []byte {
	return []byte("[[operator]]\n" + strings.Join(entries, "\n[[operator]]\n"))
}

func entry(name, role, token string) string {
	return fmt.Sprintf("name = %q\nrole = %q\ntoken_sha256 = %q\n", name, role, token)
}

func TestOperatorsComeFromAFile(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	b, err := os.ReadFile(p.path("warifud.toml"))
	must(t, err)
	p.write(t, "warifud.toml", append(b, "\n[operators]\nfile = \"operators.toml\"\n"...))
	p.config, err = server.ReadConfig(p.path("warifud.toml"))
	must(t, err)
	token := warifu.DigestOf([]byte("a token")).String()
	for name, c := range map[string]struct {
		file []byte
		slug string
	}{
		"a role that is none": {operatorsFile(entry("aoi", "chief", token)), "operators-invalid"},
		"a token twice":       {operatorsFile(entry("aoi", "hotline", token), entry("ken", "hotline", token)), "operators-invalid"},
		"a short token":       {operatorsFile(entry("aoi", "hotline", "abcd")), "configuration-invalid"},
		"an unknown field":    {operatorsFile(entry("aoi", "hotline", token) + "password = \"x\"\n"), "configuration-invalid"},
		"no TOML":             {[]byte("aoi"), "configuration-invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			p.write(t, "operators.toml", c.file)
			fault(t, server.Examine(t.Context(), p.config, server.Options{Clock: p.clock, Bureau: p.client()}), c.slug)
		})
	}
	p.write(t, "operators.toml", operatorsFile(entry("aoi", "hotline", token)))
	s := p.open(t, server.Options{})
	look := func(want int, says string) {
		t.Helper()
		r := httptest.NewRequest("POST", "http://warifu.test/api/v1/hotline/searches", strings.NewReader(`{"reading":"ハナコ","birthDate":"1985-04-03","telephone":"09011112222"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer a token")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != want || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%d %s", w.Code, w.Body.String())
		}
	}
	look(http.StatusOK, `"matched":0`)
	p.write(t, "operators.toml", []byte("half a li")) // while it is being written, nobody is thrown out
	s.Sweep(t.Context())
	look(http.StatusOK, `"matched":0`)
	p.write(t, "operators.toml", operatorsFile(entry("ken", "hotline", warifu.DigestOf([]byte("another")).String())))
	s.Sweep(t.Context())
	look(http.StatusUnauthorized, "operator-unknown") // who left is out within a round
}
