package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"warifu/sandbox/desk"
	"warifu/sandbox/world"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"warifu": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("WARIFU_LANG", "en")
			samples, err := filepath.Abs("../../document/testdata")
			if err != nil {
				return err
			}
			e.Setenv("SAMPLES", samples)
			docs, err := filepath.Abs("../../docs")
			if err != nil {
				return err
			}
			e.Setenv("DOCS", docs)
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "data"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"world": standWorld, "ready": waitReady, "desk": findDesk, "grab": grab, "tamper": tamper, "browse": browse, "notary": handIn},
	})
}

// standWorld is the script command "world [scheme [instant]]": a world of its own in this
// process, and the environment by which commands find it. What depends on the hour of the
// day, as a kiosk does, names the instant.
func standWorld(ts *testscript.TestScript, _ bool, args []string) {
	c := world.Config{Dir: ts.MkAbs("world"), AnyPort: true}
	if len(args) > 0 {
		c.Scheme = args[0]
	}
	if len(args) > 1 {
		begin, err := time.Parse(time.RFC3339, args[1])
		ts.Check(err)
		c.Begin = begin
	}
	w, err := world.Open(context.Background(), c)
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() error { close(ready); return nil }) }()
	ts.Defer(func() { stop(); ts.Check(<-ended) })
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		ts.Fatalf("the world did not stand: %v", err)
	}
	ts.Setenv("WARIFU_SERVER", w.Places.Server)
	ts.Setenv("WARIFU_DESK", w.Places.Desk)
	ts.Setenv("WARIFU_BANK", w.Places.Bank)
}

// grab is the script command "grab NAME REGEXP": what the first group matches in the last
// command's standard output stands in the environment from then on.
func grab(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("%s is not in the output", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// waitReady is the script command "ready FILE": it waits until a demo in the
// background has written its ready file.
func waitReady(ts *testscript.TestScript, _ bool, args []string) {
	tick, late := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && len(b) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			ts.Fatalf("no %s within a minute", args[0])
		}
	}
}

// findDesk is the script command "desk FILE": commands find the demo that wrote the ready
// file from then on.
func findDesk(ts *testscript.TestScript, _ bool, args []string) {
	var p desk.Places
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &p))
	ts.Setenv("WARIFU_SERVER", p.Server)
	ts.Setenv("WARIFU_DESK", p.Desk)
}

// The exit codes are a promise (design §4); the scripts see 0 and not 0, this sees which.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		want int
		args []string
	}{
		{exitDone, []string{"--help"}},
		{exitDone, []string{"world"}},
		{exitUsage, []string{"no-such-command"}},
		{exitUsage, []string{"phone", "sign"}},
		{exitUsage, []string{"world", "reset"}},
		{exitUsage, []string{"--server", "http://127.0.0.1", "card", "list"}},
		{exitUnreachable, []string{"--desk", "http://127.0.0.1:9", "card", "list"}},
		{exitRefused, []string{"world", "reset", "--yes", "--dir", filepath.Join(t.TempDir(), "none")}},
	} {
		var out, failed bytes.Buffer
		if got := run(context.Background(), c.args, streams{&bytes.Buffer{}, &out, &failed}); got != c.want {
			t.Errorf("warifu %q: exit code %d, want %d (%s)", c.args, got, c.want, failed.String())
		}
	}
}

func TestInstantsAreReadAsPeopleWriteThem(t *testing.T) {
	tokyo := time.FixedZone("Asia/Tokyo", 9*60*60)
	now := time.Date(2026, 5, 11, 20, 0, 0, 0, tokyo)
	for s, want := range map[string]time.Time{
		"+2h":                       now.Add(2 * time.Hour),
		"07:30":                     time.Date(2026, 5, 12, 7, 30, 0, 0, tokyo),
		"23:15":                     time.Date(2026, 5, 11, 23, 15, 0, 0, tokyo),
		"21:30 today":               time.Date(2026, 5, 11, 21, 30, 0, 0, tokyo),
		"21:30 tomorrow":            time.Date(2026, 5, 12, 21, 30, 0, 0, tokyo),
		"2026-06-01 09:00":          time.Date(2026, 6, 1, 9, 0, 0, 0, tokyo),
		"2026-06-01T00:00:00Z":      time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		"2026-06-01T09:00:00+09:00": time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := instant(s, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v (%v), want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "soon", "+", "25:00", "+tomorrow", "07:30 yesterday"} {
		if _, err := instant(s, now); exitCode(err) != exitUsage {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestColumnsKnowWideCharacters(t *testing.T) {
	got := columns([][]string{{"割符", "x"}, {"ab", "y"}})
	if want := "割符  x\nab    y\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// tamper is the script command "tamper FILE N OUT": the octet at N, counted from the file's
// start, is another one in OUT.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b[at] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b, 0o600))
}
