package party_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"warifu/sandbox/doctor/party"
	"warifu/text"
)

// rows are the cases as docs/doctor.md has them.
func rows() (out []string) {
	for _, c := range party.Cases() {
		out = append(out, fmt.Sprintf("| `%s` | %s | %s | %s |", c.ID, c.Level, c.Title(text.English), c.Clause))
	}
	return out
}

func TestTheManualHasEveryCase(t *testing.T) {
	b, err := os.ReadFile("../../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, row := range rows() {
		if !strings.Contains(page, "\n"+row+"\n") {
			t.Errorf("docs/doctor.md lacks\n%s", row)
		}
	}
	if n := strings.Count(page, " | must | ") + strings.Count(page, " | should | "); n != len(rows()) {
		t.Errorf("docs/doctor.md has %d cases, the doctor %d", n, len(rows()))
	}
}

// TestTheManualHasEveryField holds the table of the configuration to its fields.
func TestTheManualHasEveryField(t *testing.T) {
	b, err := os.ReadFile("../../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("config.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("verifier.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, piece := range strings.Split(string(source)+string(more), `toml:"`)[1:] {
		name, _, _ := strings.Cut(piece, `"`)
		found++
		if !strings.Contains(string(b), "`"+name+"`") {
			t.Errorf("docs/doctor.md does not speak of `%s`", name)
		}
	}
	if found < 30 {
		t.Errorf("only %d fields found", found)
	}
}

func TestTheManualsConfigurationIsRead(t *testing.T) {
	b, err := os.ReadFile("../../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(b), "```toml\n")[1:]
	if len(blocks) < 3 {
		t.Fatalf("%d configurations in docs/doctor.md", len(blocks))
	}
	for _, block := range blocks {
		file, _, _ := strings.Cut(block, "```")
		if _, err := party.ReadConfig(strings.NewReader(file), "http://127.0.0.1:3000"); err != nil {
			t.Errorf("%v in\n%s", err, file)
		}
	}
}
