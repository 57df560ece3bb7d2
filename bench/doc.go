// Command bench measures Warifu beside its peers and its goals, in one run on one
// machine: `make bench`. It prints a table and writes rows of
// {name, value, unit, peer, peer_value, ratio, goal, holds}.
//
// It is a module of its own, so that the peers are no dependency of ours. What is
// under test runs as a process of its own, so that the load, the emulated chips and
// the card bureau, which live here, are not counted; inputs are prepared before the
// clock starts. docs/performance.md says what each figure means.
package main
