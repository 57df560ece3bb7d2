package text_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"warifu/catalogue"
	"warifu/scheme"
)

// cited matches a rule's number as code writes it: R12, R85b, K7, B.3.
var cited = regexp.MustCompile(`\b(?:[RK][1-9][0-9]?b?|B\.[1-9][0-9]?)\b`)

// TestEveryCitedRuleCanBeLookedUp wants every rule that Go code cites to have its line in
// docs/requirements.md, and all of R1–R89, K1–K18 and B.1–B.12 to be there.
func TestEveryCitedRuleCanBeLookedUp(t *testing.T) {
	page := readDoc(t, "requirements.md")
	defined := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^- \*\*([RKB]\.?[0-9]+b?)[ *]`).FindAllStringSubmatch(page, -1) {
		if defined[m[1]] {
			t.Errorf("docs/requirements.md has %s twice", m[1])
		}
		defined[m[1]] = true
	}
	if len(defined) != 90+18+12 {
		t.Errorf("docs/requirements.md has %d rules, want 120", len(defined))
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return skipDir("..", path, d.Name())
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		b, err := os.ReadFile(path)
		for _, number := range ruleComments(string(b)) {
			if !defined[number] {
				t.Errorf("%s cites %s, which docs/requirements.md does not have", path, number)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ruleComments returns the numbers that comments cite; R and S of a signature, K of a
// formula stand in code, not after a slash.
func ruleComments(source string) []string {
	var out []string
	for line := range strings.Lines(source) {
		if _, comment, ok := strings.Cut(line, "//"); ok {
			out = append(out, cited.FindAllString(comment, -1)...)
		}
	}
	return out
}

func TestSchemesManualHasEveryField(t *testing.T) {
	page := readDoc(t, "schemes.md")
	file, err := scheme.ShippedFile("jp-mobile")
	if err != nil {
		t.Fatal(err)
	}
	fields := []string{"always", "closed", "maintenance", "card_first", "screenlock_signing"}
	section := ""
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(strings.Fields(line)[0], "[]")
		}
		if name, _, ok := strings.Cut(line, " ="); ok && !slices.Contains([]string{"services", "tries", "secrets"}, section) && name != "title" {
			fields = append(fields, name)
		}
	}
	for _, f := range append(fields, scheme.Names[:]...) {
		if !strings.Contains(page, "`"+f+"`") {
			t.Errorf("docs/schemes.md does not speak of `%s`", f)
		}
	}
}

func TestDevicesManualHasEveryColumn(t *testing.T) {
	page := readDoc(t, "devices.md")
	var b strings.Builder
	if err := catalogue.WriteCSV(&b, nil); err != nil {
		t.Fatal(err)
	}
	for _, column := range strings.Split(strings.TrimSpace(strings.TrimPrefix(b.String(), "\ufeff")), ",") {
		if !strings.Contains(page, "`"+column+"`") {
			t.Errorf("docs/devices.md does not speak of `%s`", column)
		}
	}
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
