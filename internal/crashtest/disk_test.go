//go:build linux

package crashtest_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu"
)

// smallDisk is a file system of its own with little room, in a mount namespace of its
// own: nobody else sees it, and it goes with the process that holds the namespace.
type smallDisk struct {
	at   string   // where it is mounted, in the namespace
	seen string   // the same as this process sees it
	into []string // what enters the namespace
}

const smallDiskOctets = 12 << 20

// mountSmallDisk mounts one over the folder, or skips the test where a process may not.
func mountSmallDisk(t *testing.T, at string) *smallDisk {
	t.Helper()
	unshare, into := []string{"unshare", "--mount", "--propagation", "private"}, []string{"nsenter", "--mount"}
	if os.Getuid() != 0 {
		unshare, into = append(unshare, "--map-root-user"), append(into, "--user", "--preserve-credentials")
	}
	script := fmt.Sprintf(`mount -t tmpfs -o size=%d,mode=700 tmpfs "$1" && echo ready && cat`, smallDiskOctets)
	holder := exec.Command(unshare[0], append(unshare[1:], "sh", "-c", script, "sh", at)...)
	in, err := holder.StdinPipe()
	must(t, err)
	out, err := holder.StdoutPipe()
	must(t, err)
	var complaint bytes.Buffer
	holder.Stderr = &complaint
	if err := holder.Start(); err != nil {
		t.Skipf("no small disk: %v", err)
	}
	if said, _ := bufio.NewReader(out).ReadString('\n'); said != "ready\n" {
		_ = holder.Wait()
		t.Skipf("this machine lets no process mount a disk of its own: %s", strings.TrimSpace(complaint.String()))
	}
	t.Cleanup(func() { _ = in.Close(); _ = holder.Wait() })
	pid := strconv.Itoa(holder.Process.Pid)
	return &smallDisk{at: at, seen: filepath.Join("/proc", pid, "root", at), into: append(into, "--target", pid, "--")}
}

// enter makes a command run where the disk is.
func (d *smallDisk) enter(cmd *exec.Cmd) {
	path, err := exec.LookPath(d.into[0])
	if err != nil {
		path = d.into[0]
	}
	cmd.Path, cmd.Args = path, append(append([]string(nil), d.into...), cmd.Args...)
}

// fill leaves no room on it.
func (d *smallDisk) fill(t *testing.T) {
	t.Helper()
	f, err := os.Create(filepath.Join(d.seen, "ballast"))
	must(t, err)
	for block := make([]byte, 64<<10); ; {
		if _, err = f.Write(block); err == nil {
			continue
		}
		if len(block) == 1 {
			break
		}
		block = block[:len(block)/2]
	}
	must(t, f.Close())
}

func (d *smallDisk) clear(t *testing.T) {
	t.Helper()
	must(t, os.Remove(filepath.Join(d.seen, "ballast")))
}

// copyOut copies what lies there to where this process sees the same path.
func (d *smallDisk) copyOut(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(d.seen)
	must(t, err)
	for _, e := range entries {
		from, err := os.Open(filepath.Join(d.seen, e.Name()))
		must(t, err)
		to, err := os.Create(filepath.Join(d.at, e.Name()))
		must(t, err)
		_, err = io.Copy(to, from)
		must(t, errors.Join(err, from.Close(), to.Close()))
	}
}

func TestFullDiskLosesNothingAccepted(t *testing.T) {
	t.Parallel()
	var disk *smallDisk
	tn := settle(t, func(t *testing.T, tn *town) databases {
		dir := filepath.Join(tn.dir, "disk")
		must(t, os.Mkdir(dir, 0o700))
		disk = mountSmallDisk(t, dir)
		tn.within = disk.enter
		return sqliteIn(dir)
	})
	p := tn.start(t)
	f := newFleet(t, tn, seed(t)+2)
	f.begin(t.Context(), holders)
	f.awaitAcceptance(t, 5)

	disk.fill(t)
	f.awaitRefusals(t, 20)
	tn.mustStillAnswer(t, f)
	want(t, "the server lives on while its disk is full", p.alive(), true)
	disk.clear(t)
	f.awaitAcceptance(t, 5) // without a restart

	disk.fill(t)
	f.awaitRefusals(t, 20)
	p.kill(t)
	tn.gate.shut()
	tn.startsOrExplains(t)
	disk.clear(t)
	p = tn.start(t)
	f.finish(t, 2*time.Minute)
	f.examine(t)
	p.stop(t)
	p.complain(t)
	disk.copyOut(t)
	tn.within = nil
	tn.audit(t, f)
	f.report(t)
}

// awaitRefusals returns once n requests were answered 503 because nothing can be stored.
func (f *fleet) awaitRefusals(t *testing.T, n int) {
	t.Helper()
	f.line.refusals()
	late := time.After(30 * time.Second)
	for refused := 0; refused < n; {
		for _, slug := range f.line.refusals() {
			if slug != "store-unavailable" {
				t.Errorf("while the disk was full, somebody was told %s", slug)
			}
			refused++
		}
		select {
		case <-late:
			t.Fatalf("the disk is full, and only %d requests were answered 503", refused)
		default:
			wait(t.Context(), 5*time.Millisecond)
		}
	}
}

// mustStillAnswer: who asks where an application stands is told, disk or no disk.
func (tn *town) mustStillAnswer(t *testing.T, f *fleet) {
	t.Helper()
	for _, h := range f.list() {
		if !h.settled.Load() {
			continue
		}
		a, err := f.server.Application(t.Context(), h.id)
		must(t, err)
		if a.State == "" || warifu.ApplicationState(a.State) == warifu.ApplicationRejected {
			t.Errorf("%s is said to be %q while the disk is full", h.id, a.State)
		}
	}
}

// startsOrExplains: on a full disk a server may refuse to start, if it says why and exits
// with 1; or it starts.
func (tn *town) startsOrExplains(t *testing.T) {
	t.Helper()
	p := tn.serve(t)
	err := tn.await(t.Context(), p)
	if err == nil {
		p.kill(t)
		return
	}
	if !errors.Is(err, errEnded) || p.state.ExitCode() != 1 || !strings.Contains(p.log.String(), "warifud: ") {
		t.Errorf("with its disk full the server neither starts nor explains: %v", err)
	}
	t.Logf("with its disk full the server says: %s", strings.TrimSpace(p.log.String()))
}

// TestCeremonyOnAFullDiskIsTakenUpAgain: a certificate that could not be written whole
// is not taken for one that is there.
func TestCeremonyOnAFullDiskIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	var disk *smallDisk
	tn := found(t, func(t *testing.T, tn *town) databases {
		tn.certs = "disk"
		dir := filepath.Join(tn.dir, tn.certs)
		must(t, os.Mkdir(dir, 0o700))
		disk = mountSmallDisk(t, dir)
		tn.within = disk.enter
		return sqliteIn(tn.dir)
	})
	disk.fill(t)
	out, err := tn.warifud(t, "keys").CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("a ceremony without room for its certificates ended as %v:\n%s", err, out)
	}
	disk.clear(t)
	tn.mustRun(t, "keys")
	tn.mustRun(t, "migrate")
	tn.furnish(t)
	tn.mustRun(t, "check")
}
