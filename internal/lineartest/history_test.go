package lineartest_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"warifu"
)

// ticks orders everything: one more with every beginning and every end of a call.
type ticks struct{ last atomic.Int64 }

func (t *ticks) next() int64 { return t.last.Add(1) }

// clock is the whole town's. It stands until it is moved forward, by whole seconds, and
// remembers at which tick it was moved: what says that it was true at an instant was
// made after that tick.
type clock struct {
	ticks *ticks
	mu    sync.RWMutex
	now   time.Time
	moves []move
	left  int // seconds that creep may still move it
}

type move struct {
	to    time.Time
	begun int64
}

func newClock(t *ticks, begin time.Time) *clock {
	return &clock{ticks: t, now: begin, moves: []move{{begin, 0}}}
}

// Now implements warifu.Clock.
func (c *clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	begun := c.ticks.next()
	c.now = c.now.Add(d)
	c.moves = append(c.moves, move{c.now, begun})
}

// creeping bounds by how many seconds one round's clock creeps, so that however slow the
// machine is no challenge and no operator's match ends while it is on its way.
const creeping = 200

// creep moves the clock by a second, as often as a round allows.
func (c *clock) creep() {
	c.mu.Lock()
	c.left--
	may := c.left >= 0
	c.mu.Unlock()
	if may {
		c.forward(time.Second)
	}
}

// round begins a round: what was kept in the last one is old, limits of rates are full again.
func (c *clock) round() {
	c.forward(10 * time.Minute)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = creeping
}

// since is the tick after which the clock showed the instant.
func (c *clock) since(instant time.Time) int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := len(c.moves) - 1; i >= 0; i-- {
		if !c.moves[i].to.After(instant) {
			return c.moves[i].begun
		}
	}
	return 0
}

// history is what was asked and answered, of everybody.
type history struct {
	ticks *ticks
	mu    sync.Mutex
	all   []porcupine.Operation
	count map[string]int // of calls by verb and outcome
}

func newHistory(t *ticks) *history { return &history{ticks: t, count: map[string]int{}} }

// did writes down a call that began at a tick and has just been answered.
func (h *history) did(client int, began int64, c call, a answer) {
	ended := h.ticks.next()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, porcupine.Operation{ClientId: client, Input: c, Call: began, Output: a, Return: ended})
	name := string(c.verb)
	switch {
	case c.verb == read:
		h.count[name+" "+c.how+": "+a.status.Cert.String()+" "+a.status.Reason.String()]++
		return
	case c.order != "":
		name += " " + string(c.order)
	}
	h.count[name+": "+a.String()]++
}

func (h *history) taken() ([]porcupine.Operation, map[string]int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all, h.count
}

// patience bounds one search for an order; a history of this size takes a fraction of it.
const patience = 2 * time.Minute

// delayed are reads by ways that may be as old as they say.
func delayed(o porcupine.Operation) bool {
	c := o.Input.(call)
	_, yes := allowed[c.how]
	return c.verb == read && yes
}

// fits searches for an order of everything and returns an operation that spoils it, or
// nil. What was read by a way that may be delayed is looked at one read at a time: such
// a read spans so many calls that an order of all of them together would be searched for in
// vain; and none at all where a strict read within its time was answered the same.
func fits(t *testing.T, operations []porcupine.Operation) *porcupine.Operation {
	t.Helper()
	strict, late := map[int][]porcupine.Operation{}, map[int][]porcupine.Operation{}
	for _, o := range operations {
		to, p := strict, o.Input.(call).person
		if delayed(o) {
			to = late
		}
		to[p] = append(to[p], o)
	}
	for p, own := range strict {
		if !linearizable(t, own) {
			return &own[0]
		}
		for _, o := range late[p] {
			if !witnessed(o, own) && !linearizable(t, append(slices.Clone(own), o)) {
				return &o
			}
		}
	}
	return nil
}

// witnessed reports whether a strict read, begun and answered within the late one's
// time, was told the same.
func witnessed(late porcupine.Operation, strict []porcupine.Operation) bool {
	c, a := late.Input.(call), late.Output.(answer)
	return slices.ContainsFunc(strict, func(o porcupine.Operation) bool {
		d, b := o.Input.(call), o.Output.(answer)
		return d.verb == read && d.application == c.application && d.kind == c.kind && o.Call >= late.Call && o.Return <= late.Return && same(a.status, b.status)
	})
}

// same compares what two ways say: a list has no entry for what is good or unknown.
func same(a, b warifu.Status) bool {
	return (a.Cert == warifu.StatusRevoked) == (b.Cert == warifu.StatusRevoked) && a.Reason == b.Reason
}

// linearizable searches for an order of one person's operations.
func linearizable(t *testing.T, operations []porcupine.Operation) bool {
	t.Helper()
	result := porcupine.CheckOperationsTimeout(specification(), operations, patience)
	if result == porcupine.Unknown {
		t.Errorf("no order of %d operations was found within %v", len(operations), patience)
	}
	return result == porcupine.Ok
}

// draw writes the picture of a person's history that does not fit, for whoever looks
// into it, and tells which calls the longest order that was found leaves out.
func draw(t *testing.T, operations []porcupine.Operation) {
	t.Helper()
	m := specification()
	_, info := porcupine.CheckOperationsVerbose(m, operations, patience)
	longest := map[int64]bool{} // by the tick of the end
	for _, orders := range info.PartialLinearizationsOperations() {
		for _, order := range orders {
			if len(order) < len(longest) {
				continue
			}
			clear(longest)
			for _, o := range order {
				longest[o.Return] = true
			}
		}
	}
	left := slices.DeleteFunc(slices.Clone(operations), func(o porcupine.Operation) bool { return longest[o.Return] })
	slices.SortFunc(left, func(a, b porcupine.Operation) int { return cmp.Compare(a.Return, b.Return) })
	for _, o := range left[:min(5, len(left))] {
		t.Logf("after %d calls there is no place for %v → %v, from %d to %d", len(longest), o.Input, o.Output, o.Call, o.Return)
	}
	file := filepath.Join(os.TempDir(), "warifu-"+filepath.Base(t.Name())+".html")
	if err := porcupine.VisualizePath(m, info, file); err != nil {
		t.Logf("no picture: %v", err)
		return
	}
	t.Logf("a picture of the history is in %s", file)
}
