package store

import (
	"cmp"
	"slices"
	"time"

	"warifu"
)

// Job is a row of the queue (package queue gives it meaning). Its payload is an
// application's id and nothing else: no attribute can be in a field that is not there.
type Job struct {
	ID          string // made by EnqueueJob when empty
	Kind        string
	UniqueKey   string // while a job of the kind with this key is ready or leased no second one is enqueued; "" means the Application
	Application string
	EnqueuedAt  time.Time
	DueAt       time.Time // not before
	Attempt     int       // how often it was leased, this time included
	Lease       string    // the right to settle the job; a rescued job's old lease is worth nothing
	Problem     string    // slug of the last failure
}

// JobDepth is the state of one kind of job, for metrics.
type JobDepth struct {
	Kind                string
	Ready, Leased, Dead int64
	OldestDue           time.Time // of the ready ones: now minus this is the queue's age; zero when none is ready
	LatestDue           time.Time
}

const jobColumns = `id, kind, unique_key, application, enqueued_at, due_at, attempts, lease, problem`

func scanJob(s scanner) (Job, error) {
	var j Job
	err := s.Scan(&j.ID, &j.Kind, &j.UniqueKey, &j.Application, instant{&j.EnqueuedAt}, instant{&j.DueAt}, &j.Attempt, &j.Lease, &j.Problem)
	return j, err
}

// EnqueueJob writes a job and says whether it did: false means that one with the
// same key is live already.
func (tx *Tx) EnqueueJob(j Job) (bool, error) {
	if j.ID == "" {
		j.ID = tx.NewID()
	}
	if j.UniqueKey == "" {
		j.UniqueKey = j.Application
	}
	n, err := tx.exec(`INSERT INTO jobs (id, kind, unique_key, application, state, enqueued_at, due_at, attempts, lease, lease_until, problem)
		VALUES ($1, $2, $3, $4, 'ready', $5, $6, 0, '', 0, '') ON CONFLICT DO NOTHING`,
		j.ID, j.Kind, j.UniqueKey, j.Application, micros(j.EnqueuedAt), micros(j.DueAt))
	return n == 1, err
}

// LeaseJobs takes up to limit due jobs of a kind in order of due time and arrival,
// for the given length of time. Two callers never get the same job.
func (tx *Tx) LeaseJobs(kind string, now time.Time, length time.Duration, limit int) ([]Job, error) {
	if tx.readOnly {
		return nil, tx.fail(errReadOnly)
	}
	// Materialized, or PostgreSQL may run the inner SELECT more than once and lease
	// more than the limit.
	jobs, err := list(tx.work, scanJob, `WITH next AS MATERIALIZED (
			SELECT id FROM jobs WHERE kind = $1 AND state = 'ready' AND due_at <= $2 ORDER BY due_at, id LIMIT $3`+
		tx.store.engine.skipLocked()+`)
		UPDATE jobs SET state = 'leased', attempts = attempts + 1, lease = $4, lease_until = $5
		WHERE state = 'ready' AND id IN (SELECT id FROM next) RETURNING `+jobColumns,
		kind, micros(now), limit, tx.NewID(), micros(now.Add(length)))
	sortJobs(jobs) // RETURNING promises no order
	return jobs, err
}

func sortJobs(jobs []Job) {
	slices.SortFunc(jobs, func(a, b Job) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
	})
}

func leaseLost() *warifu.Error { return warifu.Conflict("lease-lost") }

// settled checks that a lease was still worth something.
func settled(n int64, err error) error {
	if err == nil && n == 0 {
		return leaseLost()
	}
	return err
}

// CompleteJob removes a leased job: it is done. Conflict "lease-lost" when the
// lease ended and somebody else has it, so that the caller's transaction, with the
// job's effect, must not commit.
func (tx *Tx) CompleteJob(j Job) error {
	return settled(tx.exec(`DELETE FROM jobs WHERE id = $1 AND lease = $2 AND state = 'leased'`, j.ID, j.Lease))
}

// RetryJob gives a leased job back, to be run again at due or later; Conflict "lease-lost".
func (tx *Tx) RetryJob(j Job, due time.Time, problem string) error {
	return settled(tx.exec(`UPDATE jobs SET state = 'ready', due_at = $1, problem = $2, lease = '', lease_until = 0
		WHERE id = $3 AND lease = $4 AND state = 'leased'`, micros(due), problem, j.ID, j.Lease))
}

// BuryJob keeps a leased job as dead, for an operator to see; Conflict "lease-lost".
func (tx *Tx) BuryJob(j Job, problem string) error {
	return settled(tx.exec(`UPDATE jobs SET state = 'dead', problem = $1, lease = '', lease_until = 0
		WHERE id = $2 AND lease = $3 AND state = 'leased'`, problem, j.ID, j.Lease))
}

// RescueJobs makes jobs whose lease ended before now ready again, in their old
// place in the order, and returns how many: their worker is dead or too slow.
func (tx *Tx) RescueJobs(now time.Time) (int64, error) {
	return tx.exec(`UPDATE jobs SET state = 'ready', lease = '', lease_until = 0 WHERE state = 'leased' AND lease_until < $1`, micros(now))
}

// DropJobs removes the live jobs of one application of a kind, leased or not, and
// returns how many; a worker that has one finds its lease lost.
func (tx *Tx) DropJobs(kind, application string) (int64, error) {
	return tx.exec(`DELETE FROM jobs WHERE kind = $1 AND unique_key = $2 AND state IN ('ready', 'leased')`, kind, application)
}

// JobDepths describes every kind of job there is a row of.
func (tx *Tx) JobDepths() ([]JobDepth, error) {
	return list(tx.work, func(s scanner) (JobDepth, error) {
		var d JobDepth
		err := s.Scan(&d.Kind, &d.Ready, &d.Leased, &d.Dead, instant{&d.OldestDue}, instant{&d.LatestDue})
		return d, err
	}, `SELECT kind, COUNT(CASE WHEN state = 'ready' THEN 1 END), COUNT(CASE WHEN state = 'leased' THEN 1 END),
		COUNT(CASE WHEN state = 'dead' THEN 1 END), COALESCE(MIN(CASE WHEN state = 'ready' THEN due_at END), 0),
		COALESCE(MAX(CASE WHEN state = 'ready' THEN due_at END), 0) FROM jobs GROUP BY kind ORDER BY kind`)
}

// JobsDueBy counts the ready jobs of a kind that will be due by an instant: what
// the next opening has before it (the forecast of K1).
func (tx *Tx) JobsDueBy(kind string, by time.Time) (int64, error) {
	var n int64
	_, err := tx.one(`SELECT COUNT(*) FROM jobs WHERE kind = $1 AND state = 'ready' AND due_at <= $2`, []any{kind, micros(by)}, &n)
	return n, err
}
