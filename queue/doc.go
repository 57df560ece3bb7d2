// Package queue runs what must happen later and must not be lost: issuance when
// the window opens, notices, sweeps. A job is a row in the same database as what
// it is about (store), enqueued in the same transaction, so that neither exists
// without the other. Its payload is an application's id and nothing else.
//
// A worker leases a batch of due jobs, in order of due time and arrival, for a
// bounded time; the handler does the slow part (sign, send) outside any
// transaction and answers with one Result for each job; the results are settled
// together: one durable commit holds the jobs' ends and everything their Write
// functions wrote. A worker that dies loses its lease, the job is rescued and run
// again, and whatever the dead one still tries to settle is refused. So a handler may run
// more than once, but its effect in the database happens exactly once; effects
// outside must be idempotent (the certification authority answers a repeated
// request with the recorded certificate).
//
// Workers of the same process are woken by the commit that enqueues; others, and a
// clock that was moved, are noticed by a poll each second.
package queue
