// Package postgrestest gives tests a real PostgreSQL: one cluster for each test
// binary, made with Debian's own programs in a temporary folder, listening on a
// Unix socket there and on no port, run by an unprivileged user (PostgreSQL
// refuses root, so root becomes "postgres" or "nobody").
//
// It cannot be left behind. The server is the child of a shell that waits for the
// end of its standard input, which is a pipe from the test binary: however that
// ends, by return, panic, time-out or SIGKILL, the shell stops the server by its
// process number and removes the folder.
package postgrestest
