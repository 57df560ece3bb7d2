package crashtest_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"warifu"
)

// fall is something that falls due by the clock alone, or by a bureau that is asked: the
// books it begins with, when it is due, and what the books may say from before to after.
type fall struct {
	name   string
	books  databases // copied; every cut begins with them
	ahead  time.Duration
	silent bool // the bureau tells of no events
	stages []string
	also   string // counts what else is written, transaction by transaction
	counts []int
}

// What no client asks for is cut as well: the pull of events, the sweep that finds what no
// event told, the end of a repair and of an unfetched application, reminders, expiry.
func TestCutBetweenAnyTwoStatementsOfWhatFallsDue(t *testing.T) {
	t.Parallel()
	tn := settle(t, places["sqlite"])
	tn.blade = &blade{filepath.Join(tn.dir, "blade")}
	c := &cutter{holderLife: beginLife(t, tn), share: 1, points: map[string]int{}}
	for _, f := range c.falls(t) {
		tn.ahead.Store(int64(f.ahead))
		tn.silent.Store(f.silent)
		c.fall(t, f)
	}
	c.report(t, 10)
}

// falls prepares the books, in the order in which things fall due.
func (c *cutter) falls(t *testing.T) (out []fall) {
	t.Helper()
	p := c.start(t)
	must(t, patiently(t.Context(), c.applies("A")))
	c.quiet(t)
	issued := c.copied(t)
	must(t, patiently(t.Context(), c.fetches("A")))
	c.quiet(t)
	live := c.copied(t)
	_, err := c.phones["A"].app.Suspend(t.Context(), nil, clock.Now().Add(time.Hour).Truncate(time.Second), signing)
	must(t, err)
	repair := c.copied(t)
	_, err = c.phones["A"].app.Resume(t.Context(), nil, warifu.HoldRepair, signing)
	must(t, err)
	must(t, c.server.SuspendByCode(t.Context(), c.code))
	c.quiet(t)
	lost := c.copied(t)
	p.stop(t)
	must(t, c.live.Close())
	v, err := c.bureau.Show(c.who.id)
	must(t, err)
	last := v.Certificates[0].Certificate.NotAfter.Sub(clock.Now())
	must(t, c.bureau.Suspend(c.who.id))
	day := 24 * time.Hour
	heard := []string{liveA, heldA(warifu.HoldCard)}
	reminders := `SELECT COUNT(*) FROM reminders`
	return []fall{
		{"pull", live, 0, false, heard, "", nil},
		{"sweep of statements", live, 0, true, heard, "", nil},
		{"end of a repair", repair, 2 * time.Hour, true, []string{
			heldA(warifu.HoldRepair), heldA(warifu.HoldCard + " " + warifu.HoldRepair), heldA(warifu.HoldCard)}, "", nil},
		{"reminder of a loss", lost, 8 * day, true, []string{heldA(warifu.HoldLost), heldA(warifu.HoldCard + " " + warifu.HoldLost)}, reminders, []int{0, 2, 3}},
		{"lapse", issued, c.scheme.ApplicationLapse + day, true, []string{issuedA, "issued@A[card], " + atRest, atRest}, "", nil},
		{"reminder of an expiry", live, last - 20*day, true, heard, reminders, []int{0, 5}},
		{"expiry", live, last + day, false, []string{liveA, atRest}, "", nil},
	}
}

// quiet waits until the running server has nothing left to do.
func (c *cutter) quiet(t *testing.T) {
	t.Helper()
	late := clock.Now().Add(2 * time.Minute)
	for count(t, c.live, `SELECT COUNT(*) FROM jobs`) > 0 {
		if clock.Now().After(late) {
			t.Fatal("a job is never done")
		}
		wait(t.Context(), glance)
	}
}

// fall cuts at one statement after the other until what is due is done untouched.
func (c *cutter) fall(t *testing.T, f fall) {
	t.Helper()
	stride := 89
	if soaking() {
		stride = 1
	}
	for n := 1 + stride/2; !t.Failed(); n += stride {
		c.restore(t, f.books)
		if c.runDue(t, f, n) {
			c.concludes(t, f, fmt.Sprintf("%s, not cut", f.name), len(f.stages)-1)
			return
		}
		c.points[f.name]++
		what := fmt.Sprintf("%s, cut at %d before %q", f.name, n, c.blade.fell())
		c.concludes(t, f, what, -1)
		if !c.runDue(t, f, 0) {
			t.Fatalf("%s: a server that was not told to die died", what)
		}
		c.concludes(t, f, what+", taken up again", len(f.stages)-1)
	}
}

// restore puts books in the place of the server's.
func (c *cutter) restore(t *testing.T, from databases) {
	t.Helper()
	put := func(to, from string) {
		to, from = strings.TrimPrefix(to, "sqlite:"), strings.TrimPrefix(from, "sqlite:")
		for _, tail := range []string{"", "-wal", "-shm"} {
			must(t, os.RemoveAll(to+tail))
			octets, err := os.ReadFile(from + tail)
			if tail != "" && (os.IsNotExist(err) || tail == "-shm") {
				continue
			}
			must(t, err)
			must(t, os.WriteFile(to+tail, octets, 0o600))
		}
	}
	put(c.db.registration, from.registration)
	for kind, to := range c.db.ledgers {
		put(to, from.ledgers[kind])
	}
}

// runDue runs a server that does what is due then, killed at its n-th statement (0: not
// at all), and reports whether it came to its end.
func (c *cutter) runDue(t *testing.T, f fall, n int) bool {
	t.Helper()
	cmd := exec.Command(program(t, "due"+sharpened), "-config", c.config, "-ahead", f.ahead.String())
	cmd.Env = append(os.Environ(), bladeVariable+"="+c.blade.file)
	complaint := &tail{}
	cmd.Stderr = complaint
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%s: %v %q\n%s", f.name, err, line, complaint)
	}
	c.blade.arm(t, n)
	_, err = io.WriteString(in, "\n")
	must(t, err)
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL && c.blade.fell() != "" {
		return false
	}
	if !cmd.ProcessState.Success() || strings.Contains(complaint.String(), "level=ERROR") {
		t.Fatalf("%s ended as %v:\n%s", f.name, cmd.ProcessState, complaint)
	}
	return true
}

// concludes holds the books against the stages: at least the one, where it is not negative.
func (c *cutter) concludes(t *testing.T, f fall, what string, least int) {
	t.Helper()
	t.Run("books", func(t *testing.T) {
		shadow := &town{dir: c.dir, certs: c.certs, keys: c.keys, db: c.copied(t)}
		books := shadow.openBooks(t)
		neverSaid(t, books.bare)
		says := c.told(t, books.bare)
		if stage := slices.Index(f.stages, says); stage < max(0, least) {
			t.Errorf("%s: it stands as %s", what, says)
		}
		if f.also == "" {
			return
		}
		done := slices.Index(f.counts, count(t, books.bare, f.also))
		if done < 0 || least >= 0 && done < len(f.counts)-1 {
			t.Errorf("%s: %s says %d, of %v", what, f.also, count(t, books.bare, f.also), f.counts)
		}
	})
}
