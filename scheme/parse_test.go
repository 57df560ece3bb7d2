package scheme_test

import (
	"errors"
	"strings"
	"testing"

	"warifu"
	"warifu/scheme"
)

func TestParseRefusesWhatItDoesNotKnowOrIsOutOfRange(t *testing.T) {
	good, err := scheme.ShippedFile("jp-mobile")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, field string }{
		{"an unknown field", "card_first", "card_frist", "card_frist"},
		{"an unknown field inside hours", "opens =", "opened =", "hours.opened"},
		{"no name", `name = "jp-mobile"`, ``, "name"},
		{"a name with a slash", `"jp-mobile"`, `"jp/mobile"`, "name"},
		{"version 0", "version = 1", "version = 0", "version"},
		{"half a title", `en = "Certificates on a phone (standard)"`, `en = ""`, "title"},
		{"an unknown algorithm", `"rsa-2048"`, `"rsa-1024"`, "algorithm"},
		{"a hotline that is a sentence", `"0120-95-0178"`, `"call us"`, "hotline"},
		{"an age over range", "minimum_age = 15", "minimum_age = 150", "minimum_age"},
		{"app version 0", "minimum_app_version = 54", "minimum_app_version = 0", "minimum_app_version"},
		{"no zone", `"Asia/Tokyo"`, `""`, "hours.zone"},
		{"the machine's own zone", `"Asia/Tokyo"`, `"Local"`, "hours.zone"},
		{"a zone that is none", `"Asia/Tokyo"`, `"Asia/Tokio"`, "hours.zone"},
		{"25 o'clock", `"07:30"`, `"25:30"`, "hours.opens"},
		{"half past seven, carelessly", `"07:30"`, `"7:30"`, "hours.opens"},
		{"a cut-off before opening", `"19:30"`, `"07:30"`, "hours.cut_off"},
		{"closing before the cut-off", `"20:00"`, `"19:29:59"`, "hours.cut_off"},
		{"always, and hours", "opens =", "always = true\nopens =", "hours.always"},
		{"a closed day that is none", "[tries]", "closed = [\"02-30\"]\n[tries]", "hours.closed"},
		{"a closed day twice", "[tries]", "closed = [\"12-31\", \"12-31\"]\n[tries]", "hours.closed"},
		{"maintenance that ends before it begins", "[tries]", "maintenance = [{ from = 2026-06-02T00:00:00Z, to = 2026-06-01T00:00:00Z }]\n[tries]", "hours.maintenance"},
		{"maintenance for eight days", "[tries]", "maintenance = [{ from = 2026-06-01T00:00:00Z, to = 2026-06-09T00:00:00Z }]\n[tries]", "hours.maintenance"},
		{"no tries", "signature = 5", "signature = 0", "tries.signature"},
		{"more tries than a status word can tell", "signature = 5", "signature = 16", "tries.signature"},
		{"tries of a third kind", "signature = 5", "signature = 5\npassport = 1", "tries.passport"},
		{"a form with max under min", "min = 6", "min = 17", "secrets.signature"},
		{"an unknown alphabet", `"upper-digits"`, `"emoji"`, "secrets.signature"},
		{"a challenge of eleven minutes", `challenge = "10m"`, `challenge = "11m"`, "lifetimes.challenge"},
		{"a missing lifetime", `write_within = "10s"`, ``, "lifetimes.write_within"},
		{"an unknown lifetime", `write_within = "10s"`, "write_within = \"10s\"\nread_within = \"1s\"", "lifetimes.read_within"},
		{"a service on a day that is none", `portal = "open"`, `portal = "2023-02-29"`, "services.portal"},
		{"not TOML", "[hours]", "[hours", "file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(string(good), c.from, c.to, 1)
			if bad == string(good) {
				t.Fatal("the case changes nothing")
			}
			_, err := scheme.Parse([]byte(bad))
			p := warifu.ProblemOf(err)
			if p == nil || p.Problem != "scheme-invalid" || p.Params["field"] != c.field {
				t.Errorf("got %v, want field %s", err, c.field)
			}
		})
	}
	if _, err := scheme.Parse(make([]byte, scheme.MaxFile+1)); !errors.Is(err, &warifu.Error{Problem: "scheme-invalid"}) {
		t.Errorf("too large: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range scheme.Names {
		b, err := scheme.ShippedFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := scheme.Parse(b)
		if err != nil {
			if warifu.ProblemOf(err).Problem != "scheme-invalid" {
				t.Fatalf("an error of another name: %v", err)
			}
			return
		}
		noon := s.Hours.Next(at(t, "2026-06-01 12:00:00"))
		if !s.Hours.Open(noon) || !s.Hours.Open(s.Hours.Due(noon)) {
			t.Fatal("an accepted scheme that does not open where it says")
		}
	})
}
