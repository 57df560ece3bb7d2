// Package pcsctest puts emulated chips into a real PC/SC stack for tests: Debian's
// pcscd with vsmartcard's virtual reader, and unmodified clients (OpenSC, pyscard)
// beside it (docs/card-facts.md §3).
//
// The virtual reader listens on all addresses at fixed ports and pcscd at a fixed
// socket; so each stack lives in a network and a mount namespace of its own (and a user
// namespace, where the test is not run by root). Nothing of it is seen outside, any
// number run side by side, and the machine's own pcscd is left alone. Clients are run
// inside with Command.
package pcsctest
