package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"warifu/internal/worldtest"
)

// docs/life.md lives every path by commands; each is done here, in its order, as it stands.
func TestTheLifePageDoesWhatItShows(t *testing.T) {
	page, err := os.ReadFile("../../docs/life.md")
	if err != nil {
		t.Fatal(err)
	}
	w := worldtest.Stand(t, worldtest.Default) // as a new user has it
	done := 0
	for i, block := range strings.Split(string(page), "```") {
		commands, shell := strings.CutPrefix(block, "sh\n")
		if i%2 == 0 || !shell {
			continue
		}
		for _, line := range strings.Split(strings.TrimSpace(commands), "\n") {
			args := strings.Fields(line)
			if args[0] != "warifu" {
				t.Fatalf("%q is no command of this program", line)
			}
			var out, failed bytes.Buffer
			args = append([]string{"--server", w.Places.Server, "--desk", w.Places.Desk, "--lang", "en"}, args[1:]...)
			if code := run(t.Context(), args, streams{&bytes.Buffer{}, &out, &failed}); code != exitDone {
				t.Fatalf("%s: exit code %d\n%s%s", line, code, out.String(), failed.String())
			}
			done++
		}
	}
	if done < 40 {
		t.Errorf("only %d commands on the page: the test does not see them", done)
	}
}
