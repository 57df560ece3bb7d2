// Package store keeps everything the registration side of the house must
// remember: applications, credentials and their moves, holds, the status feed,
// jobs, the audit trail, the device catalogue, and the one sealed table in which
// every DER that carries attributes lies. It holds every SQL statement there is
// and decides nothing: who may do what is for package registration.
//
// One SQL text runs on SQLite (one binary, one file) and on PostgreSQL (many
// stateless servers, one primary). Three habits make that true: identifiers are
// text made in Go, instants are BIGINT microseconds since 1970 (0 is "not yet"),
// and no statement relies on catching an error of the database.
//
// # Writing
//
// All writing goes through Store.Write, whose closure sees a Tx. On SQLite one
// goroutine owns the write connection and lets concurrent closures take turns in
// one transaction, a savepoint each, with one commit for all (group.go): a
// durable commit costs a disk flush, so ten closures a commit are ten times the
// rate. On PostgreSQL every closure has a serializable transaction of its own,
// tried again when the database says so (retry.go). Either way Write returns nil
// only when what the closure wrote would survive a power cut.
//
// # What the database itself refuses
//
// Every change of state is a row of the table moves, whose foreign keys lead to a
// legal arrow of the root package's Life tables and to the move before it; the
// state of an application or credential is a foreign key to one of its moves, and
// triggers let it go to the next one only: no move is changed, none and no life taken
// away, none begun in the middle. So no statement, ours or an operator's, can take a
// life along an arrow that is not there, in either dialect; whoever may alter tables
// can. Write in turn refuses to commit a move that has no audit line.
package store
