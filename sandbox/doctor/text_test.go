package doctor_test

import (
	"os"
	"strings"
	"testing"

	"warifu/sandbox/doctor"
	"warifu/sandbox/doctor/party"
	"warifu/text"
)

// all are the cases whose sentences stand in doctor.toml.
func all() []doctor.Case { return party.Cases() }

func TestEveryCaseHasItsSentences(t *testing.T) {
	known := map[string]bool{}
	for _, c := range all() {
		if known[c.ID] {
			t.Errorf("%s twice", c.ID)
		}
		known[c.ID] = true
		if c.Clause == "" || c.Theme == "" || c.Level != doctor.Must && c.Level != doctor.Should {
			t.Errorf("%s: %q %q %q", c.ID, c.Clause, c.Theme, c.Level)
		}
		for _, key := range []string{"doctor.case." + c.ID, "doctor.mend." + c.ID} {
			if !text.Has(key) {
				t.Errorf("no %s in the catalogue", key)
			}
		}
	}
	if len(known) < 50 {
		t.Errorf("%d cases", len(known))
	}
	file, err := os.ReadFile("../../text/catalogue/doctor.toml")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := text.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for key := range entries {
		for _, prefix := range []string{"doctor.case.", "doctor.mend."} {
			if id, ok := strings.CutPrefix(key, prefix); ok && !known[id] {
				t.Errorf("%s is nobody's", key)
			}
		}
	}
}
