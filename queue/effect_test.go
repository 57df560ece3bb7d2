package queue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/queue"
	"warifu/store"
)

// machine drives one kind of job with workers that fail in every way they can.
type machine struct {
	*office
	kind     string
	before   int64 // effects of earlier runs in the same database
	enqueued int
	plan     func(queue.Job) string // what the handler does with a job
	zombies  []queue.Job            // leased by workers that went silent
}

// work answers as planned. Whatever the plan, the effect may be written once only: a
// second time fails, and the job would be seen to stay.
func (m *machine) work(_ context.Context, jobs []queue.Job) []queue.Result {
	return all(jobs, func(j queue.Job) queue.Result {
		switch m.plan(j) {
		case "retry":
			return queue.Result{Outcome: queue.Retry, Err: warifu.Unavailable("card-bureau-silent")}
		case "dead":
			return queue.Result{Outcome: queue.Dead}
		case "panic":
			panic("planned")
		case "write fails":
			return queue.Result{Outcome: queue.Done, Write: func(tx *store.Tx) error {
				_ = m.happen(tx, j)
				return warifu.Refused("planned")
			}}
		case "slow":
			m.clock.forward(2 * time.Minute) // beyond the lease; another worker may have it by now
		}
		return queue.Result{Outcome: queue.Done, Write: func(tx *store.Tx) error { return m.happen(tx, j) }}
	})
}

func (m *machine) happen(tx *store.Tx, j queue.Job) error {
	return effect(tx, m.kind+"/"+j.Application)
}

// check is what must hold after every step: each job is waiting, leased, dead, or
// gone with exactly one effect.
func (m *machine) check(t *rapid.T) {
	d := m.depth(m.kind)
	gone := int64(m.enqueued) - d.Ready - d.Leased - d.Dead
	if got := m.effects() - m.before; got != gone {
		t.Fatalf("%d jobs are gone and %d effects are there (%+v of %d)", gone, got, d, m.enqueued)
	}
}

func (m *machine) enqueueSome(t *rapid.T) {
	for range rapid.IntRange(1, 5).Draw(t, "jobs") {
		due := m.clock.Now().Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "due")) * time.Second)
		m.enqueue(queue.Job{Kind: m.kind, Application: fmt.Sprint(m.enqueued), DueAt: due})
		m.enqueued++
	}
	twin := queue.Job{Kind: m.kind, Application: fmt.Sprint(m.enqueued), DueAt: m.clock.Now()}
	m.enqueue(twin, twin) // the second is not written
	m.enqueued++
}

func (m *machine) runSome(t *rapid.T) {
	plans := rapid.SampledFrom([]string{"done", "done", "done", "retry", "dead", "panic", "write fails", "slow"})
	m.plan = func(j queue.Job) string { return plans.Draw(t, "plan") }
	m.drain()
}

// goSilent leases jobs as a worker does that is killed before it settles, or that
// comes back much later.
func (m *machine) goSilent(t *rapid.T) {
	limit := rapid.IntRange(1, 4).Draw(t, "limit")
	must(m.t, m.store.Write(context.Background(), func(tx *store.Tx) error {
		jobs, err := tx.LeaseJobs(m.kind, m.clock.Now(), time.Minute, limit)
		m.zombies = append(m.zombies, jobs...)
		return err
	}))
}

// comeBack lets silent workers settle: refused where the job was rescued since.
func (m *machine) comeBack(*rapid.T) {
	for _, j := range m.zombies {
		_ = m.store.Write(context.Background(), func(tx *store.Tx) error {
			if err := m.happen(tx, j); err != nil {
				return err
			}
			return tx.CompleteJob(j)
		})
	}
	m.zombies = nil
}

func (m *machine) wait(t *rapid.T) {
	m.clock.forward(time.Duration(rapid.IntRange(1, 120).Draw(t, "seconds")) * time.Second)
}

func TestEffectHappensExactlyOnceHoweverOftenAJobRuns(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		o := newOffice(t, dsn, func(c *queue.Config) { c.Ceiling = 30 * time.Second })
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			if run++; strings.HasPrefix(dsn, "postgres") && run > 25 {
				return // the same statements, ten times as slow
			}
			fresh := *o
			fresh.Queue = queue.New(queue.Config{Store: o.store, Clock: o.clock, Log: quiet(), Ceiling: 30 * time.Second})
			m := &machine{office: &fresh, kind: fmt.Sprint("issue-", run), before: o.effects()}
			m.Handle(m.kind, rapid.IntRange(1, 6).Draw(rt, "batch"), m.work)
			rt.Repeat(map[string]func(*rapid.T){
				"enqueue": m.enqueueSome, "run": m.runSome, "go silent": m.goSilent, "come back": m.comeBack, "wait": m.wait,
				"": m.check,
			})
			m.finish(rt)
		})
	})
}

// finish lets honest workers run until nothing is left but the dead.
func (m *machine) finish(t *rapid.T) {
	m.plan = func(queue.Job) string { return "done" }
	for range 20 {
		m.clock.forward(2 * time.Minute)
		m.drain()
	}
	m.check(t)
	if d := m.depth(m.kind); d.Ready+d.Leased != 0 {
		t.Fatalf("left over: %+v", d)
	}
}
