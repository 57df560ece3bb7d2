//go:build linux

package warifu_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// building is the line of the walk-through that this test does by itself.
const building = "mkdir -p tmp && go build -o tmp/ ./cmd/warifu && cd tmp\n"

// TestWalkThroughs does what README.md tells a new user to do, word for word, in a network
// of its own, so that the addresses shown are free: the demo in the background, a
// signature, OpenSSL, and OpenSC in the namespaces that the page opens.
func TestWalkThroughs(t *testing.T) {
	needPrograms(t, "unshare", "ip", "bash", "openssl", "opensc-tool", "pkcs11-tool", "/usr/sbin/pcscd", "/etc/reader.conf.d/vpcd")
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "warifu"), filepath.Join(work, "warifu")); err != nil {
		t.Fatal(err)
	}
	steps := walkThrough(t)
	out := runScript(t, work, strings.Join([]string{
		"ip link set lo up",
		"./warifu demo --headless --ready-file ready.json > first.log &",
		"until [ -s ready.json ]; do kill -0 $!; sleep 0.1; done",
		steps[0], steps[1],
		"kill -INT $!; wait $!", // Ctrl-C
		steps[2],
	}, "\n"))
	for _, want := range []string{
		"verdict                        good", "Logged in at", // ours
		"CMS Verification successful", "holder.pem: good", "holder.pem: OK", "Response verify OK", "certificateHold", // OpenSSL
		"jpki\njpki\n", "PKCS#15 Card [JPKI]", "Verified OK", "O = WARIFU-TEST", // OpenSC
	} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// walkThrough returns the three blocks of the walk-through as they stand on the page.
func walkThrough(t *testing.T) []string {
	t.Helper()
	_, page, ok := strings.Cut(readPage(t, "README.md"), "\n## Ten minutes")
	if !ok {
		t.Fatal("README.md has no walk-through")
	}
	var steps []string
	for _, b := range blocks(page) {
		if b.language == "sh" {
			steps = append(steps, b.text)
		}
	}
	if len(steps) != 3 || !strings.HasPrefix(steps[0], building) {
		t.Fatalf("README.md's walk-through is not the one this test knows: %q", steps)
	}
	steps[0] = strings.TrimPrefix(steps[0], building)
	return steps
}

func needPrograms(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if _, err := os.Stat(name); err != nil {
				t.Skipf("the walk-throughs need %s, which is not here", name)
			}
		}
	}
	if out, err := exec.Command("unshare", "--map-root-user", "--net", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("this machine lets nobody make a namespace: %v %s", err, out)
	}
}

// runScript has bash read the lines as if they were typed; any that fails ends it, in the
// shells it opens too. Everything it started ends with it.
func runScript(t *testing.T, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "bash")
	command.Dir = dir
	command.Env = append(os.Environ(), "SHELLOPTS=errexit", "WARIFU_LANG=en", "XDG_DATA_HOME="+filepath.Join(dir, "data"))
	command.Stdin = strings.NewReader(script + "\n")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}
