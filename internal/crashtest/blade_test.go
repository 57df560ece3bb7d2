package crashtest_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// sharpened behind a program's name stands for its build with the tag crashpoints: the
// same code, and package store counts its statements (store/cut_on.go).
const sharpened = "+crashpoints"

// bladeVariable says to a sharpened program in which file it is told when to die.
const bladeVariable = "WARIFU_CRASHPOINTS_FILE"

// blade has one sharpened program at a time killed before the n-th statement or commit,
// or after the n-th commit, from the moment it is armed.
type blade struct{ file string }

// arm has the program killed at its n-th step from now on; 0 disarms it.
func (b *blade) arm(t *testing.T, n int) {
	t.Helper()
	_ = os.Remove(b.file + ".cut")
	must(t, os.WriteFile(b.file+".new", []byte(strconv.Itoa(n)), 0o600))
	must(t, os.Rename(b.file+".new", b.file))
}

// fell is the statement that was not begun any more; "" when the program was not killed.
func (b *blade) fell() string {
	statement, _ := os.ReadFile(b.file + ".cut")
	return string(statement)
}

// sheathe disarms a program that finished in time, and reports whether it is still alive.
func (b *blade) sheathe(t *testing.T, tn *town, p *process) bool {
	t.Helper()
	b.arm(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for { // the next statement takes the file away
		if response, err := http.Get(tn.origin + "/readyz"); err == nil {
			_ = response.Body.Close()
		}
		if _, err := os.Stat(b.file); os.IsNotExist(err) || !p.alive() || ctx.Err() != nil {
			break
		}
		wait(ctx, time.Millisecond)
	}
	if b.fell() != "" {
		<-p.ended
	}
	return p.alive()
}

// What kills the server in these tests must not exist in what anybody installs.
func TestNoShippedProgramCanBeToldToDie(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]bool{"warifud": false, "warifu": false, "warifud" + sharpened: true} {
		octets, err := os.ReadFile(program(t, name))
		must(t, err)
		want(t, filepath.Base(name)+" knows of the blade", bytes.Contains(octets, []byte(bladeVariable)), dies)
	}
}
