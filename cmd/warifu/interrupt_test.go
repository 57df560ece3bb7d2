package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
)

// atFirst calls something at the first line that is written to it.
type atFirst struct {
	io.Writer
	call func()
}

func (a *atFirst) Write(p []byte) (int, error) {
	a.call()
	return a.Writer.Write(p)
}

// A tour that is interrupted on its way removes its world, says so and exits as shells expect.
func TestAnInterruptedTourTidiesUp(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	ctx, interrupt := context.WithCancel(t.Context())
	var errs bytes.Buffer
	code := run(ctx, []string{"tour", "--scheme", "badge", "--lang", "en"}, streams{strings.NewReader(""), &atFirst{io.Discard, interrupt}, &errs})
	if code != exitInterrupted || !strings.Contains(errs.String(), "Interrupted.") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range left {
		if strings.HasPrefix(one.Name(), "warifu-tour-") {
			t.Errorf("%s is left behind", one.Name())
		}
	}
}
