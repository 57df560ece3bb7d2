//go:build crashpoints

package store

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// cutFileVariable names the environment variable that says through which file a program
// built with the tag crashpoints is told when to die. No shipped program has it.
const cutFileVariable = "WARIFU_CRASHPOINTS_FILE"

var blade struct {
	mu   sync.Mutex
	left int // statements until the one that is not begun; 0: not armed
}

// cut is called before each statement and each commit, and after each commit. When the
// file appears it is taken away and the number n in it read: at the n-th call from then on
// the program writes what it was about to do beside the file, and kills itself as
// SIGKILL does, with nothing flushed and nobody told. A zero disarms.
func cut(what string) {
	file := os.Getenv(cutFileVariable)
	if file == "" {
		return
	}
	blade.mu.Lock()
	defer blade.mu.Unlock()
	if b, err := os.ReadFile(filepath.Clean(file)); err == nil {
		blade.left, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		_ = os.Remove(file)
	}
	if blade.left == 0 {
		return
	}
	if blade.left--; blade.left > 0 {
		return
	}
	_ = os.WriteFile(file+".cut", []byte(strings.Join(strings.Fields(what), " ")), 0o600)
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {} // the signal is on its way
}
