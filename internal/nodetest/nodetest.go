// Package nodetest runs JavaScript with the packages of a committed lock file, for tests with
// clients that others wrote. Packages are installed once for each lock file, beside the
// repository and never in it, from the registry that the machine is configured with.
package nodetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// patience bounds an installation.
const patience = 3 * time.Minute

// Node returns the interpreter; where there is none the test says so and is skipped.
func Node(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("NOT TESTED: there is no node on this machine")
	}
	return node
}

// Modules returns a folder with package.json, package-lock.json and node_modules as the two
// files in dir say.
func Modules(t testing.TB, dir string) string {
	t.Helper()
	Node(t)
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	all := filepath.Join(os.TempDir(), "warifu-node-"+strconv.Itoa(os.Getuid()))
	place := filepath.Join(all, hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(place); err == nil {
		return place
	}
	if err := os.MkdirAll(all, 0o700); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(all, "new-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(fresh, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = fresh
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci for %s: %v\n%s", dir, err, out)
	}
	if err := os.Rename(fresh, place); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(place); there != nil { // another test was not quicker
			t.Fatal(err)
		}
	}
	return place
}
