package registration_test

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

const aloneVariable = "WARIFU_TEST_ALONE"

// alone runs the test in a process of its own, and reports whether this is not that
// process: the limit of full holds for every file a process writes, and go test's own
// log of a test is one.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVariable) != "" {
		return false
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), aloneVariable+"=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return true
}

// full runs f on a disk without room: no file of this process may grow beyond a page,
// which SQLite's log needs for every commit. Only for tests that are alone.
func full(t *testing.T, f func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: before.Max}))
	defer func() { must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) }()
	f()
}
