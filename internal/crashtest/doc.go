// Package crashtest has no code of its own: its tests build the real programs, run them
// as processes and do to them what life does to processes. They are killed at random
// moments, their disk fills up, their flushes fail, they are told to stop under load;
// afterwards everything that was accepted must be there, once, and whole.
//
// Where random moments do not suffice the cut is exact: a server built with the tag
// crashpoints kills itself before the n-th statement or commit, or after the n-th commit,
// of each operation of a credential's life (cut_test.go), and a phone, which is a process
// too, loses its power before or after the n-th APDU (phonecut_test.go).
//
// What surrounds a server (card bureau, makers, phones) is the sandbox's, in the test's
// own process; it meets the server over loopback HTTP and nothing else. A server is
// killed with SIGKILL by the process number that starting it returned.
//
// WARIFU_SOAK=1 makes the loops long. WARIFU_CRASH_SEED repeats a run's choices.
package crashtest
