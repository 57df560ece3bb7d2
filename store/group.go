package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"

	"warifu"
)

// groupEngine is the SQLite engine: a pool of readers on snapshots, and group
// commit for the one writer.
type groupEngine struct {
	db      *sql.DB
	readers *readers
	turns   chan *turn
	closing chan struct{}
	closed  chan struct{}
	once    sync.Once
	tell    telling
}

// Bounds of one group: closures, and statements after which no further closure
// is let in, so that the first one's answer is not kept waiting.
const (
	groupTurns      = 512
	groupStatements = 4000
)

func newGroupEngine(db *sql.DB) *groupEngine {
	readers := max(4, runtime.GOMAXPROCS(0))
	db.SetMaxOpenConns(readers + 1)
	db.SetMaxIdleConns(0) // connections live in our own hands, with their statements
	g := &groupEngine{
		db: db, readers: newReaders(db, readers),
		turns: make(chan *turn), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go g.own()
	return g
}

func (g *groupEngine) telling() *telling { return &g.tell }

func (g *groupEngine) skipLocked() string { return "" }

func (g *groupEngine) read(ctx context.Context, fn func(*work) error) error {
	return g.readers.read(ctx, fn)
}

// turn is one closure's way through a group. The closure runs on its caller's own
// goroutine, so that its panics stay the caller's.
type turn struct {
	granted  chan *work // the owner hands over the connection
	changes  []Change   // that it made, set before it is handed back
	returned chan error // the caller hands it back, with the closure's error
	answer   chan error // what became of it, after the commit
}

var (
	errClosed = warifu.Unavailable("store-closed")
	errBroken = errors.New("store: the closure panicked or left its goroutine")
)

// write queues fn for the next group. Before its turn begins ctx may end the
// wait; afterwards the outcome is awaited, since it can no longer be taken back.
func (g *groupEngine) write(ctx context.Context, fn func(*work) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &turn{granted: make(chan *work, 1), returned: make(chan error, 1), answer: make(chan error, 1)}
	select {
	case g.turns <- t:
	case <-ctx.Done():
		return ctx.Err()
	case <-g.closing:
		return errClosed
	}
	select {
	case w := <-t.granted:
		t.use(w, fn)
	case err := <-t.answer: // no transaction could be begun
		return err
	}
	return <-t.answer
}

// use runs the closure and hands the connection back however it ends.
func (t *turn) use(w *work, fn func(*work) error) {
	outcome := errBroken
	defer func() {
		w.finished = true
		t.returned <- outcome
	}()
	outcome = fn(w)
	if outcome == nil {
		outcome = w.failed
	}
	t.changes = w.changes
}

// own is the goroutine that owns the write connection.
func (g *groupEngine) own() {
	defer close(g.closed)
	var conn *preparedConn
	defer func() {
		if conn != nil {
			_ = conn.close()
		}
	}()
	for {
		select {
		case <-g.closing:
			return
		case first := <-g.turns:
			// Who else is about to write comes up to it first: a commit costs more than what
			// is in it, and many share one. Where nobody is, this takes no time.
			runtime.Gosched()
			conn = g.commitGroup(conn, first)
		}
	}
}

// commitGroup runs one group that begins with the turn first, and returns the
// connection for the next group: nil when this one can no longer be trusted.
func (g *groupEngine) commitGroup(conn *preparedConn, first *turn) *preparedConn {
	conn, err := g.begin(conn)
	if err != nil {
		first.answer <- translate(err)
		return nil
	}
	turns, outcomes, err := g.takeTurns(conn, first)
	if err == nil {
		err = g.commit(conn, changesOf(turns, outcomes))
	}
	if err != nil {
		// Nobody is told more than this, not even a closure that failed by itself:
		// it may have seen rows that are now gone.
		fault := warifu.Unavailable("store-unavailable").With(err)
		for _, t := range turns {
			t.answer <- fault
		}
		_ = conn.do("ROLLBACK")
		_ = conn.close()
		return nil
	}
	cut("after COMMIT")
	for i, t := range turns {
		t.answer <- outcomes[i]
	}
	return conn
}

// commit commits what the group did, and tells of the statuses it changed before any of
// its closures is answered.
func (g *groupEngine) commit(conn *preparedConn, changes []Change) error {
	if len(changes) == 0 {
		return conn.do("COMMIT")
	}
	end := g.tell.begin()
	err := conn.do("COMMIT")
	end(changes, err)
	return err
}

// changesOf are the changes of the turns that stand, in order.
func changesOf(turns []*turn, outcomes []error) (all []Change) {
	for i, t := range turns {
		if outcomes[i] == nil {
			all = append(all, t.changes...)
		}
	}
	return all
}

func (g *groupEngine) begin(conn *preparedConn) (*preparedConn, error) {
	if conn == nil {
		var err error
		if conn, err = openPrepared(context.Background(), g.db); err != nil {
			return nil, err
		}
	}
	if err := conn.do("BEGIN IMMEDIATE"); err != nil {
		_ = conn.close()
		return nil, err
	}
	return conn, nil
}

// takeTurns lets closures in one after the other until nobody waits or the group
// is full. An error means that the whole group must go.
func (g *groupEngine) takeTurns(conn *preparedConn, first *turn) (turns []*turn, outcomes []error, err error) {
	statements := 0
	for next := first; next != nil; next = g.waiting(len(turns), statements) {
		turns = append(turns, next)
		alone := len(turns) == 1
		outcome, n, err := grant(conn, next, alone)
		if err != nil {
			return turns, nil, err
		}
		statements += n
		outcomes = append(outcomes, outcome)
	}
	return turns, outcomes, nil
}

func (g *groupEngine) waiting(turns, statements int) *turn {
	if turns >= groupTurns || statements >= groupStatements {
		return nil
	}
	select {
	case t := <-g.turns:
		return t
	default:
		return nil
	}
}

// grant gives one closure its turn inside a savepoint, or, where it is the first and
// nothing of others could be lost with it, inside the transaction itself: a savepoint
// keeps a copy of every page that changes, and large batches are mostly alone. outcome
// is the closure's own error, with what it did rolled back; err is a fault that ends
// the group.
func grant(conn *preparedConn, t *turn, alone bool) (outcome error, statements int, err error) {
	w := &work{ctx: context.Background(), q: conn}
	mark, undo, keep := []string{"SAVEPOINT turn"}, []string{"ROLLBACK TO turn", "RELEASE turn"}, []string{"RELEASE turn"}
	if alone {
		mark, undo, keep = nil, []string{"ROLLBACK", "BEGIN IMMEDIATE"}, nil
	}
	if err := conn.doAll(mark); err != nil {
		return nil, 0, err // before granted: the caller still listens for its answer
	}
	t.granted <- w
	outcome = <-t.returned
	if hasSQLiteFault(w.failed) || hasSQLiteFault(outcome) {
		return nil, 0, errors.Join(outcome, w.failed)
	}
	if outcome != nil {
		return outcome, w.statements, conn.doAll(undo)
	}
	return nil, w.statements, conn.doAll(keep)
}

func (g *groupEngine) close() (err error) {
	g.once.Do(func() {
		close(g.closing)
		<-g.closed
		g.readers.close()
		err = g.db.Close()
	})
	return err
}
