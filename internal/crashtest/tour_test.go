package crashtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// step is one line of `warifu tour --json` as the design promises it.
type step struct {
	Step   *int     `json:"step"`
	Name   string   `json:"name"`
	OK     *bool    `json:"ok"`
	MS     *float64 `json:"ms"`
	Detail string   `json:"detail"`
	// The same in Japanese, which came later.
	NameJa   string `json:"nameJa"`
	DetailJa string `json:"detailJa"`
}

// stops is how many stops a whole tour has.
const stops = 9

func TestTourInThreeProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(program(t, "warifu"), "tour", "--processes", "--json", "--dir", dir)
	w := observe(t, cmd, dir)
	steps, exit := walk(t, cmd, w.look)
	want(t, "exit code", exit, 0)
	want(t, "stops", len(steps), stops)
	for _, s := range steps {
		if !*s.OK {
			t.Errorf("stop %d, %s: %s", *s.Step, s.Name, s.Detail)
		}
	}
	w.conclude(t)
}

// The card of mika is suspended.
func TestTourSaysWhereItFailed(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(program(t, "warifu"), "tour", "--processes", "--json", "--card", "mika", "--dir", t.TempDir())
	steps, exit := walk(t, cmd, func(*testing.T, *exec.Cmd, int) {})
	want(t, "exit code", exit, 1)
	if len(steps) == 0 || *steps[len(steps)-1].OK || !strings.Contains(steps[len(steps)-1].Detail, "card-held") {
		t.Errorf("no line says what failed: %v", steps)
	}
}

// walk runs a tour to its end, calls each after every line, and returns the lines and
// the exit code.
func walk(t *testing.T, cmd *exec.Cmd, each func(*testing.T, *exec.Cmd, int)) ([]step, int) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	must(t, err)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	must(t, cmd.Start())
	var steps []step
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var s step
		strict := json.NewDecoder(strings.NewReader(lines.Text()))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&s); err != nil || s.Step == nil || s.OK == nil || s.MS == nil || s.Name == "" || s.Detail == "" {
			t.Errorf("this is no line of a tour (%v): %s", err, lines.Text())
			continue
		}
		steps = append(steps, s)
		want(t, "number of a stop", *s.Step, len(steps))
		each(t, cmd, len(steps))
	}
	_ = cmd.Wait()
	exit := cmd.ProcessState.ExitCode()
	if exit != 0 {
		t.Logf("exit code %d: %s", exit, complaints.String())
	}
	return steps, exit
}
