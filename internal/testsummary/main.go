// Command testsummary reads what `go test -json` writes and tells people what they need:
// a line a package as it ends, everything a failed test said, at the end which tests were
// skipped and why, and one line of counts. It exits with 1 when anything failed or
// broke off.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"warifu"
	"warifu/progress"
	"warifu/text"
)

func main() {
	of := flag.Int("of", 0, "how many packages there are, for the line that tells how far the tests have come")
	flag.Parse()
	// Ctrl-C ends go test, which says what it had; the summary is of that.
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	line := progress.New(os.Stderr, text.English, warifu.SystemClock{})
	line.Begin(text.Sentence("progress.tests", text.English, nil), *of)
	ok := summarize(os.Stdin, os.Stdout, line)
	switch {
	case interrupted.Err() != nil:
		os.Exit(130)
	case !ok:
		os.Exit(1)
	}
}

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action      string
	Package     string
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
	ImportPath  string
}

// summary is what is known so far.
type summary struct {
	out            io.Writer
	said           map[string][]string // by package and test
	running        map[string]bool     // packages that began and have not ended
	passed, failed int
	skipped        []string
	line           *progress.Line
	packages       int // that have ended
}

// summarize reads events to their end and reports whether all went well.
func summarize(in io.Reader, out io.Writer, line *progress.Line) bool {
	s := &summary{line: line, out: out, said: map[string][]string{}, running: map[string]bool{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			s.take(line)
		}
		if err != nil {
			break
		}
	}
	s.line.End()
	return s.end()
}

// take takes one line of input. What it says stands above the line that tells how far all has come.
func (s *summary) take(line []byte) {
	var said bytes.Buffer
	out := s.out
	s.out = &said
	s.event(line)
	s.out = out
	if said.Len() > 0 {
		s.line.Aside(func() { _, _ = out.Write(said.Bytes()) })
	}
	s.line.Done(s.packages)
}

// event takes one; what is none is passed on as it is.
func (s *summary) event(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		_, _ = s.out.Write(line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "start":
		s.running[e.Package] = true
	case "output":
		if e.Test != "" || worthSaying(e.Output) {
			s.said[key] = append(s.said[key], e.Output)
		}
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.packageEnded(e)
		} else {
			s.testEnded(e, key)
		}
	}
}

// worthSaying leaves out what a package's own line says anyway.
func worthSaying(output string) bool {
	for _, p := range []string{"ok ", "PASS", "FAIL\n", "FAIL\t", "?   ", "coverage:", "exit status"} {
		if strings.HasPrefix(output, p) {
			return false
		}
	}
	return true
}

func (s *summary) testEnded(e event, key string) {
	if strings.Contains(e.Test, "/") && e.Action != "skip" { // counted with the test it is part of
		if e.Action == "fail" {
			s.tell(key)
		}
		delete(s.said, key)
		return
	}
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		s.tell(key)
	case "skip":
		s.skipped = append(s.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(s.said[key])))
	}
	delete(s.said, key)
}

// tell prints everything a test said.
func (s *summary) tell(key string) {
	for _, line := range s.said[key] {
		fmt.Fprint(s.out, line)
	}
}

// reason is what a skipped test said, without the place where it said so.
func reason(said []string) string {
	var out []string
	for _, line := range said {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "===") || strings.HasPrefix(line, "---") {
			continue
		}
		if _, words, ok := strings.Cut(line, ": "); ok && strings.Contains(line[:len(line)-len(words)], ".go:") {
			line = words
		}
		out = append(out, line)
	}
	return strings.Join(out, " ")
}

func (s *summary) packageEnded(e event) {
	delete(s.running, e.Package)
	s.packages++
	switch {
	case e.Action == "fail":
		s.tell(e.Package + " ")
		if e.FailedBuild != "" {
			s.failed++
		}
		for key, lines := range s.said { // of tests that a panic or a timeout cut off
			if strings.HasPrefix(key, e.Package+" ") && !strings.HasSuffix(key, " ") && len(lines) > 0 {
				s.failed++
				s.tell(key)
				delete(s.said, key)
			}
		}
		s.failed = max(s.failed, 1)
		fmt.Fprintf(s.out, "FAIL  %-44s %7.1f s\n", e.Package, e.Elapsed)
	case e.Action == "pass":
		fmt.Fprintf(s.out, "ok    %-44s %7.1f s\n", e.Package, e.Elapsed)
	}
}

func (s *summary) end() bool {
	for p := range s.running {
		s.failed++
		fmt.Fprintf(s.out, "FAIL  %-44s broke off\n", p)
	}
	if len(s.skipped) > 0 {
		fmt.Fprintf(s.out, "skipped: %d\n", len(s.skipped))
		for _, line := range s.skipped {
			fmt.Fprintln(s.out, "  "+line)
		}
	}
	fmt.Fprintf(s.out, "%d passed, %d failed\n", s.passed, s.failed)
	return s.failed == 0 && s.passed > 0
}
