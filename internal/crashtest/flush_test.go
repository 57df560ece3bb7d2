//go:build linux

package crashtest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// platter decides over every flush of a server.
type platter struct {
	mu     sync.Mutex
	broken string // the stem of the database file whose flushes fail; "" for none
	failed int    // flushes that failed since it broke
}

// breakFlushes has every flush of one database fail from now on; "" mends it. It returns
// how many failed since the last call.
func (d *platter) breakFlushes(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.failed
	d.broken, d.failed = name, 0
	return n
}

func (d *platter) judge(q question) unix.Errno {
	if d.fails(q) {
		return unix.EIO
	}
	return 0
}

// fails reports whether this flush is one of the broken database's.
func (d *platter) fails(q question) bool {
	file, err := os.Readlink(proc(q.PID, "fd", strconv.FormatUint(q.Args[0], 10)))
	d.mu.Lock()
	defer d.mu.Unlock()
	stem := filepath.Base(file)
	if err != nil || d.broken == "" || (stem != d.broken+".db" && stem != d.broken+".db-wal") {
		return false
	}
	d.failed++
	return true
}

// A flush that fails is the hardest fault to have; every database has it in turn, while
// the phones go on.
func TestFailedFlushesLoseNothingAccepted(t *testing.T) {
	canJudge(t)
	t.Parallel()
	d := &platter{}
	tn := settle(t, func(_ *testing.T, tn *town) databases { return sqliteIn(tn.dir) })
	tn.within = func(cmd *exec.Cmd) { judged(t, cmd, d.judge, unix.SYS_FSYNC, unix.SYS_FDATASYNC) }
	p := tn.start(t)
	f := newFleet(t, tn, seed(t)+1)
	f.begin(t.Context(), holders)
	wait(t.Context(), 300*time.Millisecond)
	for _, name := range []string{"registration", "ledger-signature", "ledger-authentication"} {
		d.during(t, f, name)
		f.awaitAcceptance(t, 3) // without a restart
	}
	p.kill(t) // what is there afterwards is what the disk has, not what the process remembers
	tn.gate.shut()
	p = tn.start(t)
	f.finish(t, 2*time.Minute)
	f.examine(t)
	p.stop(t)
	tn.within = nil
	tn.audit(t, f)
	f.report(t)
}

// during lets the flushes of one database fail until three have. While nothing can be
// stored, who applies is told so; a ledger's trouble nobody has to be told of.
func (d *platter) during(t *testing.T, f *fleet, name string) {
	t.Helper()
	f.line.refusals()
	d.breakFlushes(name)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var refused []string
	for ctx.Err() == nil && (d.failures() < 3 || name == "registration" && len(refused) == 0) {
		wait(ctx, 5*time.Millisecond)
		refused = append(refused, f.line.refusals()...)
	}
	failed := d.breakFlushes("")
	if failed == 0 || name == "registration" && len(refused) == 0 {
		t.Errorf("in half a minute %d flushes of %s failed and %d requests were answered 503", failed, name, len(refused))
	}
	for _, slug := range refused {
		if slug != "store-unavailable" {
			t.Errorf("while the flushes of %s failed, somebody was told %s", name, slug)
		}
	}
	t.Logf("%s: %d flushes failed, %d requests answered 503", name, failed, len(refused))
}

func (d *platter) failures() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}
