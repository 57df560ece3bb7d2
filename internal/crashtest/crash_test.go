package crashtest_test

import (
	"cmp"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/internal/postgrestest"
)

// holders is how many phones are at work at a time.
const holders = 10

// killCount is how often the server of each database is killed.
func killCount() int {
	if soaking() {
		return 200
	}
	return 30
}

func seed(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(cmp.Or(os.Getenv("WARIFU_CRASH_SEED"), "20260401"), 10, 64)
	must(t, err)
	return n
}

// places are where a server may keep its rows.
var places = map[string]func(*testing.T, *town) databases{
	"sqlite": func(_ *testing.T, tn *town) databases { return sqliteIn(tn.dir) },
	"postgres": func(t *testing.T, _ *town) databases {
		return databases{postgrestest.DSN(t), map[warifu.Kind]string{warifu.Signature: postgrestest.DSN(t), warifu.Authentication: postgrestest.DSN(t)}}
	},
}

func TestKilledServerKeepsItsWord(t *testing.T) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killed(t, settle(t, place))
		})
	}
}

func killed(t *testing.T, tn *town) {
	f := newFleet(t, tn, seed(t))
	f.begin(t.Context(), holders)
	r := rand.New(rand.NewPCG(seed(t), 1))
	began, rescued := clock.Now(), 0
	for range killCount() {
		p := tn.serve(t)
		f.awaitMoment(t, p, r)
		p.kill(t)
		tn.gate.shut()
		p.complain(t)
		rescued += p.rescued()
	}
	killing := clock.Now().Sub(began)
	p := tn.start(t)
	f.finish(t, 2*time.Minute)
	f.examine(t)
	took := p.stop(t)
	p.complain(t)
	rescued += p.rescued()
	tn.audit(t, f)
	cuts, late := f.report(t)
	t.Logf("%d kills in %v, %d jobs taken over from the dead; then stopped in %v; all in %v", killCount(),
		killing.Round(time.Millisecond), rescued, took.Round(time.Millisecond), clock.Now().Sub(began).Round(time.Millisecond))
	if rescued == 0 || cuts == 0 || late == 0 {
		t.Error("the kills miss what they are for")
	}
}

// awaitMoment returns at the moment at which the server is to die: while it starts, at
// some time after, or close behind a request of a certain sort.
func (f *fleet) awaitMoment(t *testing.T, p *process, r *rand.Rand) {
	t.Helper()
	if r.IntN(6) == 0 {
		wait(t.Context(), time.Duration(r.IntN(500))*time.Millisecond)
		return
	}
	must(t, f.town.await(t.Context(), p))
	f.town.gate.open()
	if r.IntN(3) == 0 {
		wait(t.Context(), time.Duration(r.IntN(500))*time.Millisecond)
		return
	}
	errands := []errand{toSubmit, toSubmit, toExchange, toExchange, toExchange, toOpen, toAsk, toWithdraw}
	f.awaitRequest(t, errands[r.IntN(len(errands))], 1+r.IntN(12))
	wait(t.Context(), time.Duration(r.IntN(8000))*time.Microsecond)
}

// awaitRequest returns when the n-th request of the sort sets out, or after a while.
func (f *fleet) awaitRequest(t *testing.T, what errand, n int) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	fired := make(chan struct{})
	f.line.watch(func(e errand) {
		if e == what && left.Add(-1) == 0 {
			close(fired)
		}
	})
	defer f.line.watch(nil)
	select {
	case <-fired:
	case <-time.After(800 * time.Millisecond):
	case <-t.Context().Done():
	}
}

// report tells what the run met, and returns how many sessions were cut and how many
// phones were active at the server before they were live.
func (f *fleet) report(t *testing.T) (cuts, late int) {
	t.Helper()
	ends := map[string]int{}
	for _, h := range f.list() {
		cuts += h.cuts
		if h.late {
			late++
		}
		ends[string(h.seen)]++
	}
	t.Logf("%d phones %v; %d sessions cut; %d phones active at the server before they were live", len(f.list()), ends, cuts, late)
	return cuts, late
}
