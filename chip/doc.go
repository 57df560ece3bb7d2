// Package chip emulates the two halves of the tally: an identity card with its five
// applications, and a phone's secure element. Both are one small card operating
// system (system, application, file, reference) with a personality in data; the
// JPKI application is the same code under two tokens with different rules for reading
// (docs/card-facts.md §1.4, §4).
//
// A chip is an iso7816.Transmitter and nothing more: above it nobody can tell it from
// one in a reader. What must outlast a power cut (try counters, changed PINs, keys)
// lies in a Memory and is saved before the answer that tells of the change leaves.
//
// Only the sandbox and the tools import this package; no server does.
package chip
