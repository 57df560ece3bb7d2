package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"warifu"
	"warifu/store"
)

// faulty is the SQLite driver with a hand on its commits and on each new connection.
type faulty struct {
	sqlite.Driver
	commits  atomic.Int64
	onCommit atomic.Pointer[func(really func() error) error]
	onOpen   atomic.Pointer[string] // a pragma
}

func (f *faulty) Open(name string) (driver.Conn, error) {
	c, err := f.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	if pragma := f.onOpen.Load(); pragma != nil {
		if _, err := c.(driver.ExecerContext).ExecContext(context.Background(), *pragma, nil); err != nil {
			return nil, err
		}
	}
	return &faultyConn{Conn: c, f: f}, nil
}

type faultyConn struct {
	driver.Conn
	f *faulty
}

func (c *faultyConn) Prepare(query string) (driver.Stmt, error) {
	s, err := c.Conn.Prepare(query)
	if err == nil && query == "COMMIT" {
		return &faultyCommit{Stmt: s, f: c.f}, nil
	}
	return s, err
}

type faultyCommit struct {
	driver.Stmt
	f *faulty
}

func (c *faultyCommit) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	c.f.commits.Add(1)
	really := func() error {
		r, err = c.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	}
	if fault := c.f.onCommit.Load(); fault != nil {
		return r, (*fault)(really)
	}
	return r, really()
}

var theFaulty = sync.OnceValue(func() *faulty {
	f := &faulty{}
	sql.Register("faulty", f)
	return f
})

// openFaulty is a world whose store speaks through the faulty driver.
func openFaulty(t *testing.T) (*world, *faulty) {
	t.Helper()
	f := theFaulty()
	f.onCommit.Store(nil)
	f.onOpen.Store(nil)
	dsn := "sqlite:" + t.TempDir() + "/w.db"
	must(t, store.Migrate(context.Background(), dsn))
	w := &world{t: t, dsn: dsn, seal: newKeyring()}
	s, err := store.OpenThrough(context.Background(), "faulty", dsn, w.seal, still)
	must(t, err)
	w.Store = s
	t.Cleanup(func() { must(t, s.Close()) })
	return w, f
}

// together runs n closures that are sure to share a group: the first holds its
// turn until the others stand in line.
func together(w *world, n int, fn func(tx *store.Tx, i int) error) []error {
	errs := make([]error, n)
	var entered, all sync.WaitGroup
	inLine := make(chan struct{})
	entered.Add(n - 1)
	first := make(chan struct{})
	all.Go(func() {
		errs[0] = w.Write(context.Background(), func(tx *store.Tx) error {
			close(first)
			<-inLine
			return fn(tx, 0)
		})
	})
	<-first
	for i := 1; i < n; i++ {
		all.Go(func() {
			entered.Done()
			errs[i] = w.Write(context.Background(), func(tx *store.Tx) error { return fn(tx, i) })
		})
	}
	entered.Wait()
	close(inLine)
	all.Wait()
	return errs
}

func TestConcurrentWritesShareACommit(t *testing.T) {
	w, f := openFaulty(t)
	const rounds, n = 20, 40
	before := f.commits.Load()
	for r := range rounds {
		for _, err := range together(w, n, func(tx *store.Tx, i int) error { return challenge(tx, fmt.Sprint(r, i)) }) {
			must(t, err)
		}
	}
	commits := f.commits.Load() - before
	if commits > rounds*n/5 {
		t.Errorf("%d writes took %d commits: nothing is shared", rounds*n, commits)
	}
	var rows int
	must(t, w.bare().QueryRow("SELECT COUNT(*) FROM challenges").Scan(&rows))
	equal(t, "rows", rows, rounds*n)
}

func TestFailedFlushFailsTheWholeGroupAndTheStoreRecovers(t *testing.T) {
	w, f := openFaulty(t)
	w.write(func(tx *store.Tx) error { return challenge(tx, "before") })
	flush := errors.New("disk I/O error: fsync")
	failing := func(func() error) error { return flush }
	f.onCommit.Store(&failing)
	own := errors.New("own")
	for i, err := range together(w, 10, func(tx *store.Tx, i int) error {
		if err := challenge(tx, fmt.Sprint(i)); err != nil || i != 3 {
			return err
		}
		return own
	}) {
		wantProblem(t, err, "store-unavailable")
		if !errors.Is(err, flush) {
			t.Errorf("closure %d: the cause is hidden: %v", i, err)
		}
	}
	f.onCommit.Store(nil)
	for i := range 10 {
		equal(t, "written", w.written(fmt.Sprint(i)), false)
	}
	equal(t, "written before", w.written("before"), true)
	w.write(func(tx *store.Tx) error { return challenge(tx, "0") })
	equal(t, "written after", w.written("0"), true)
}

func TestCommitOfUnknownOutcomeIsNotAcknowledged(t *testing.T) {
	w, f := openFaulty(t)
	lost := func(really func() error) error { return errors.Join(really(), errors.New("lost")) }
	f.onCommit.Store(&lost)
	write := func() error {
		return w.Write(context.Background(), func(tx *store.Tx) error { return challenge(tx, "x") })
	}
	wantProblem(t, write(), "store-unavailable")
	f.onCommit.Store(nil)
	wantProblem(t, write(), "challenge-used") // whoever tries again finds it done
}

func TestFullDiskLosesNothingAcknowledged(t *testing.T) {
	w, f := openFaulty(t)
	var pages int
	must(t, w.bare().QueryRow("PRAGMA page_count").Scan(&pages))
	limit := fmt.Sprintf("PRAGMA max_page_count = %d", pages+20)
	f.onOpen.Store(&limit)
	var acknowledged []string
	var full error
	for i := 0; full == nil && i < 10_000; i++ {
		name := fmt.Sprint(i)
		err := w.Write(context.Background(), func(tx *store.Tx) error {
			if _, err := tx.SealBlob(digest(name), make([]byte, 3000)); err != nil {
				return err
			}
			return challenge(tx, name)
		})
		if err == nil {
			acknowledged = append(acknowledged, name)
		}
		full = err
	}
	wantProblem(t, full, "store-unavailable")
	equal(t, "code", warifu.ProblemOf(full).Code, warifu.CodeUnavailable)
	if len(acknowledged) == 0 {
		t.Fatal("nothing was written before the disk was full")
	}
	for _, name := range acknowledged {
		equal(t, "acknowledged "+name, w.written(name), true)
	}
	equal(t, "refused", w.written(fmt.Sprint(len(acknowledged))), false)

	// Space again: the store needs no restart.
	f.onOpen.Store(nil)
	w.write(func(tx *store.Tx) error { return challenge(tx, "after") })
	equal(t, "after", w.written("after"), true)
	var sound string
	must(t, w.bare().QueryRow("PRAGMA integrity_check").Scan(&sound))
	equal(t, "integrity", sound, "ok")
}
