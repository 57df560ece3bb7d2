package crashtest_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"warifu"
)

// operation is one thing that is done in a credential's life, by whoever does it, through
// the door of the server.
type operation struct {
	name string
	// do is what the holder's or the operator's client does, as patiently as a person
	// would: again until it is told that it is done.
	do func(ctx context.Context) error
	// stages are what the books may say (holderLife.told) from before to after: whatever
	// is between two of them never stands. The last says that it is done.
	stages []string
	// stride is how many statements lie between two cuts in the short test: 1 for all.
	stride int
}

// Two operations of one name are one: its cuts are shared out among them.

// cutter goes through operations, cutting the server between their statements.
type cutter struct {
	*holderLife
	p      *process
	share  int            // of the statements: one in so many, beside the operation's stride
	next   map[string]int // the next cut of each operation
	points map[string]int // cut points by operation
	beyond map[string]bool
}

// turn does operations in turn, each time with the server killed at a later one of the
// operation's statements, until every operation has been cut at all of its own and goes
// through untouched.
func (c *cutter) turn(t *testing.T, operations ...operation) {
	t.Helper()
	for round := 1; ; round++ {
		over := true
		for _, o := range operations {
			n := c.nextOf(o)
			over = over && n == 0
			if c.try(t, o, n); t.Failed() {
				return
			}
		}
		if over || round%8 == 0 {
			c.agree(t)
		}
		if over || t.Failed() {
			return
		}
	}
}

// nextOf is the statement at which to cut the operation this time, 0 for none. The short
// test begins in the middle of a stride; a soak makes all cuts.
func (c *cutter) nextOf(o operation) int {
	if c.beyond[o.name] {
		return 0
	}
	stride := c.share
	if !soaking() {
		stride *= o.stride
	}
	if c.next[o.name] == 0 {
		c.next[o.name] = 1 + stride/2
	} else {
		c.next[o.name] += stride
	}
	return c.next[o.name]
}

// try does the operation once, cut at its n-th statement; 0 for not at all.
func (c *cutter) try(t *testing.T, o operation, n int) {
	t.Helper()
	c.settled = count(t, c.live, `SELECT COUNT(*) FROM kill_tickets WHERE settled_at <> 0`)
	want(t, o.name+" begins with", c.told(t, c.live), o.stages[0])
	if n > 0 {
		c.blade.arm(t, n)
	}
	done := make(chan error, 1)
	go func() { done <- patiently(t.Context(), o.do) }()
	accepted := false
	select {
	case err := <-done:
		mustDo(t, o, n, err)
		accepted = true
		if c.rests(t); n == 0 || c.blade.sheathe(t, c.town, c.p) {
			c.beyond[o.name] = c.beyond[o.name] || n > 0
			want(t, o.name+" ends with", c.told(t, c.live), o.stages[len(o.stages)-1])
			return
		}
	case <-c.p.ended:
	}
	c.gate.shut()
	c.cut(t, o, n, accepted)
	c.again(t)
	if !accepted {
		mustDo(t, o, n, <-done)
		c.rests(t)
	}
	want(t, fmt.Sprintf("%s, cut at %d before %q, taken up again", o.name, n, c.blade.fell()), c.told(t, c.live), o.stages[len(o.stages)-1])
	c.asked(t)
}

func mustDo(t *testing.T, o operation, n int, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s, cut at %d: %v", o.name, n, err)
	}
}

// cut looks at what a killed server left.
func (c *cutter) cut(t *testing.T, o operation, n int, accepted bool) {
	t.Helper()
	if status, ok := c.p.state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("%s: the server ended as %v:\n%s", o.name, c.p.state, c.p.log)
	}
	c.p.complain(t)
	c.points[o.name]++
	t.Run(fmt.Sprintf("%s/%d", o.name, n), func(t *testing.T) {
		shadow := &town{dir: c.town.dir, certs: c.town.certs, keys: c.town.keys, db: c.town.copied(t)}
		books := shadow.openBooks(t) // walks the ledgers' chains
		neverSaid(t, books.bare)
		says := c.told(t, books.bare)
		switch {
		case !slices.Contains(o.stages, says):
			t.Errorf("before %q it stood half done: %s", c.blade.fell(), says)
		case accepted && says != o.stages[len(o.stages)-1]: // where before is as after, both are done
			t.Errorf("before %q it was accepted and is not done: %s", c.blade.fell(), says)
		}
	})
}

// again starts the server after a cut, unarmed, and lets everybody through.
func (c *cutter) again(t *testing.T) {
	t.Helper()
	c.p = c.town.start(c.t)
}

// rests waits until no job is due, or the server is gone.
func (c *cutter) rests(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for c.p.alive() && count(t, c.live, `SELECT COUNT(*) FROM jobs`) > 0 {
		if ctx.Err() != nil {
			t.Fatal("a job is never done")
		}
		wait(ctx, glance)
	}
}

// report tells how many cuts were made.
func (c *cutter) report(t *testing.T, least int) {
	t.Helper()
	all := 0
	var each []string
	for name, n := range c.points {
		all += n
		each = append(each, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(each)
	t.Logf("%d cut points over %d operations, all finished or undone: %s", all, len(c.points), strings.Join(each, ", "))
	if least /= c.share; all < least {
		t.Errorf("only %d cuts were made, and at least %d were meant", all, least)
	}
}

// patiently does again what a dead server cut, until it is done or refused.
func patiently(ctx context.Context, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		wait(ctx, 5*time.Millisecond)
	}
}

// ferry carries requests through the gate.
type ferry struct {
	gate  *gate
	inner http.Transport
}

// RoundTrip implements http.RoundTripper.
func (f *ferry) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-f.gate.way():
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return f.inner.RoundTrip(r)
}

// lives lets each life begin in a town of its own, side by side, with a sharpened server.
func lives(t *testing.T, where string, life func(*testing.T, *cutter)) {
	t.Helper()
	tn := settle(t, places[where])
	tn.blade = &blade{filepath.Join(tn.dir, "blade")}
	c := &cutter{holderLife: beginLife(t, tn), share: 1, next: map[string]int{}, points: map[string]int{}, beyond: map[string]bool{}}
	if where != "sqlite" {
		c.share = 7
	}
	c.p = tn.start(t)
	life(t, c)
	c.p.stop(t)
	c.p.complain(t)
	if !t.Failed() {
		tn.settleUp(t)
		b := tn.openBooks(t)
		neverSaid(t, b.bare)
		b.auditIntents(t, tn)
		b.auditTrail(t)
	}
}

// operators are registrars, so many that the look-ups which each may make in an hour
// suffice; the last one confirms what others propose.
var operators = func() (names []string) {
	for n := range 30 {
		names = append(names, fmt.Sprintf("registrar-%d", n))
	}
	return names
}()

// tokenOf is an operator's token.
func tokenOf(operator string) string { return "the token of " + operator }

// appoint writes the operators' file and names it in the configuration.
func (tn *town) appoint(t *testing.T) {
	t.Helper()
	var list strings.Builder
	for _, name := range operators {
		fmt.Fprintf(&list, "[[operator]]\nname = %q\nrole = \"registrar\"\ntoken_sha256 = %q\n", name, warifu.DigestOf([]byte(tokenOf(name))).String())
	}
	must(t, os.WriteFile(filepath.Join(tn.dir, "operators.toml"), []byte(list.String()), 0o600))
	config, err := os.ReadFile(tn.config)
	must(t, err)
	text := strings.Replace(string(config), "lease = \"4s\"", "lease = \"1s\"", 1) + "[operators]\nfile = \"operators.toml\"\n"
	must(t, os.WriteFile(tn.config, []byte(text), 0o600))
}
