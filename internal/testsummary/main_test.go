package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/progress"
	"warifu/text"
)

func TestWhatMattersIsSaid(t *testing.T) {
	const good = `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestOne"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"noise\n"}
{"Action":"pass","Package":"a","Test":"TestOne","Elapsed":0}
{"Action":"output","Package":"a","Test":"TestReader","Output":"=== RUN   TestReader\n"}
{"Action":"output","Package":"a","Test":"TestReader","Output":"    stack.go:81: no PC/SC stack here: pcscd is missing\n"}
{"Action":"output","Package":"a","Test":"TestReader","Output":"--- SKIP: TestReader (0.00s)\n"}
{"Action":"skip","Package":"a","Test":"TestReader","Elapsed":0}
{"Action":"output","Package":"a","Output":"ok  \ta\t0.1s\n"}
{"Action":"pass","Package":"a","Elapsed":0.1}
{"Action":"start","Package":"empty"}
{"Action":"skip","Package":"empty","Elapsed":0}
`
	for _, c := range []struct {
		name, in string
		ok       bool
		wants    []string
		silent   string
	}{
		{"all is well", good, true, []string{"ok    a ", "skipped: 1\n  a TestReader: no PC/SC stack here: pcscd is missing\n", "\n1 passed, 0 failed\n"}, "noise"},
		{"a test fails", good + `{"Action":"start","Package":"b"}
{"Action":"output","Package":"b","Test":"TestTwo","Output":"    two_test.go:3: got 1\n"}
{"Action":"fail","Package":"b","Test":"TestTwo"}
{"Action":"fail","Package":"b","Elapsed":0.1}
`, false, []string{"two_test.go:3: got 1", "FAIL  b ", "1 passed, 1 failed\n"}, "noise"},
		{"a subtest fails once", `{"Action":"start","Package":"b"}
{"Action":"output","Package":"b","Test":"TestTwo/part","Output":"    two_test.go:3: got 1\n"}
{"Action":"fail","Package":"b","Test":"TestTwo/part"}
{"Action":"fail","Package":"b","Test":"TestTwo"}
{"Action":"fail","Package":"b","Elapsed":0.1}
`, false, []string{"two_test.go:3: got 1", "0 passed, 1 failed\n"}, ""},
		{"a build fails", good + `{"ImportPath":"c [c.test]","Action":"build-output","Output":"c.go:1: undefined: x\n"}
{"ImportPath":"c [c.test]","Action":"build-fail"}
{"Action":"start","Package":"c"}
{"Action":"fail","Package":"c","Elapsed":0,"FailedBuild":"c [c.test]"}
`, false, []string{"undefined: x", "1 passed, 1 failed\n"}, ""},
		{"a panic cuts a test off", good + `{"Action":"start","Package":"d"}
{"Action":"output","Package":"d","Test":"TestFour","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"d","Elapsed":900}
`, false, []string{"panic: test timed out", "1 passed, 1 failed\n"}, ""},
		{"go test is killed", good + `{"Action":"start","Package":"e"}` + "\n", false, []string{"broke off", "1 passed, 1 failed\n"}, ""},
		{"nothing ran", "go: no such module\n", false, []string{"go: no such module", "0 passed, 0 failed\n"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if ok := summarize(strings.NewReader(c.in), &out, nil); ok != c.ok {
				t.Errorf("reported %v", ok)
			}
			for _, want := range c.wants {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
			if c.silent != "" && strings.Contains(out.String(), c.silent) {
				t.Errorf("%q in\n%s", c.silent, out.String())
			}
		})
	}
}

// Whoever waits for the tests is told how many packages are done, where nothing else is said.
func TestHowFarTheTestsHaveComeIsTold(t *testing.T) {
	now := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	var errs bytes.Buffer
	line := progress.New(&errs, text.English, warifu.ClockFunc(func() time.Time { now = now.Add(6 * time.Second); return now }))
	line.Begin("Testing", 4)
	var in strings.Builder
	for _, p := range []string{"a", "b", "c", "d"} {
		in.WriteString(`{"Action":"start","Package":"` + p + `"}` + "\n" + `{"Action":"pass","Package":"` + p + `","Test":"TestOne"}` + "\n" + `{"Action":"pass","Package":"` + p + `"}` + "\n")
	}
	var out bytes.Buffer
	if !summarize(strings.NewReader(in.String()), &out, line) {
		t.Error("reported a failure")
	}
	if !strings.Contains(errs.String(), "Testing: 2/4 (50 %), about ") || strings.Contains(out.String(), "Testing") {
		t.Errorf("said %q, and %q", errs.String(), out.String())
	}
}
