package server_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu/server"
)

// An operator's own name and band stand on every page in place of ours, in each language.
func TestAnOperatorsOwnNameAndBand(t *testing.T) {
	p := newPremises(t)
	file := strings.Replace(p.file(), "\n[store]", "\n[face]\nname = { ja = \"見本県の証明書\", en = \"Sample Prefecture\" }\nband = { ja = \"見本県の実験です。\", en = \"A trial of Sample Prefecture.\" }\n\n[store]", 1)
	p.write(t, "own.toml", []byte(file))
	var err error
	p.config, err = server.ReadConfig(p.path("own.toml"))
	must(t, err)
	p.furnish(t)
	site := p.open(t, server.Options{}).Handler()
	for lang, wants := range map[string][2]string{"ja": {"見本県の証明書", "見本県の実験です。"}, "en": {"Sample Prefecture", "A trial of Sample Prefecture."}} {
		for _, path := range []string{"/", "/devices", "/clean-proofs"} {
			w := httptest.NewRecorder()
			site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://warifu.test"+path+"?lang="+lang, nil))
			page := w.Body.String()
			if w.Code != http.StatusOK || !strings.Contains(page, `<p class="band">`+wants[1]+"</p>") || strings.Count(page, wants[0]) < 2 || strings.Contains(page, "試験用のシステム") || strings.Contains(page, "test system") {
				t.Errorf("%s in %s: %d %.900s", path, lang, w.Code, page)
			}
		}
	}
}

func TestAFaceIsOneLineInBothLanguages(t *testing.T) {
	p := newPremises(t)
	for face, names := range map[string]string{
		`name = { ja = "見本県" }`:                                       "name is in one language alone",
		`band = { ja = "見本\n県", en = "x" }`:                           "band is not one line",
		`name = { ja = "` + strings.Repeat("長", 41) + `", en = "x" }`: "name has more than 40",
		`colour = "red"`: "face.colour",
	} {
		path := filepath.Join(p.dir, "face.toml")
		must(t, os.WriteFile(path, []byte(strings.Replace(p.file(), "\n[store]", "\n[face]\n"+face+"\n\n[store]", 1)), 0o600))
		_, err := server.ReadConfig(path)
		fault(t, err, "configuration-invalid", names)
	}
}
