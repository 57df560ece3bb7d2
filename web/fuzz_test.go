package web_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"warifu/internal/housetest"
	"warifu/web"
)

// FuzzSite asks whatever may be asked: the site never panics, never fails inside, and
// answers every refusal in words.
func FuzzSite(f *testing.F) {
	h := housetest.New(f, housetest.Options{})
	site := web.New(h.SiteConfig())
	for _, seed := range [][3]string{
		{"GET", "/", ""}, {"POST", "/api/v1/challenges", `{"element":"` + element + `","model":"Pixel 10","osBuild":"99","appVersion":99}`},
		{"POST", "/api/v1/applications", `{"document":"MAA=","attestation":"MAA=","chain":["MAA="],"secretsSet":"MAA="}`},
		{"POST", "/api/v1/applications/a" + strings.Repeat("q", 26) + "/withdrawal", `{"request":"MAA="}`},
		{"POST", "/api/v1/applications/a" + strings.Repeat("q", 26) + "/sessions", `{"cardProof":{"certificate":"MAA=","challenge":"MAA=","signature":"MAA="}}`},
		{"POST", "/api/v1/sessions/s" + strings.Repeat("q", 26), `{"responses":["kAA=",""]}`},
		{"GET", "/api/v1/devices?day=2026-06-10", ""}, {"GET", "/ocsp/signature//+/%2B%2f==", ""}, {"POST", "/ocsp/authentication", "\x30\x03\x0a\x01\x00"},
		{"GET", "/crl/signature.crl", ""}, {"HEAD", "/ca/signature.cer", ""}, {"PUT", "/%00/..//x?lang=en&lang=ja", "{"}, {"POST", "/api/v1/devices/submissions", `{"role":"maker","organisation":"x","model":{}}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	var once sync.Mutex
	f.Fuzz(func(t *testing.T, method, target, body string) {
		once.Lock()
		defer once.Unlock()
		r := httptest.NewRequest("GET", "http://warifu.test/", strings.NewReader(body))
		r.Method = method
		u, err := r.URL.Parse(target)
		if err != nil || u.Host != "warifu.test" {
			return
		}
		r.URL, r.RemoteAddr = u, "127.0.0.1:1"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s is answered %d: %s", method, target, w.Code, w.Body.String())
		}
		if w.Code >= 400 && w.Body.Len() == 0 && method != "HEAD" && !strings.HasPrefix(u.Path, "/ca/") {
			t.Errorf("%s %s is refused without a word: %d", method, target, w.Code)
		}
	})
}
