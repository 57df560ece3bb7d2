package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"warifu/sandbox/world"
)

// docs/life.md lives every path by commands; each is done here, in its order, as it stands.
func TestTheLifePageDoesWhatItShows(t *testing.T) {
	page, err := os.ReadFile("../../docs/life.md")
	if err != nil {
		t.Fatal(err)
	}
	server, desk := standForPage(t)
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
			args = append([]string{"--server", server, "--desk", desk, "--lang", "en"}, args[1:]...)
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

// standForPage stands a world up as a new user has it.
func standForPage(t *testing.T) (server, desk string) {
	t.Helper()
	w, err := world.Open(t.Context(), world.Config{Dir: t.TempDir(), AnyPort: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() error { close(ready); return nil }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return w.Places.Server, w.Places.Desk
}
