// Package housetest stands a whole house up in one process for tests: registration
// authority, both certification authorities with their ledgers, queue, site, card
// bureau, makers of phones, and the phones themselves. Nothing listens on a port:
// phones reach the site through a transport that calls its handler.
//
// What goes wrong in life can be made to go wrong here: the clock stands until it is
// moved, the bureau and the authorities can be silenced or made to lie (Cards, Issuer),
// what a phone and the site say to each other can be lost, doubled or cut by a crash of the
// server (Wire, Restart). Status is asked where the world asks: OCSP, Lists, History.
// Check re-derives the whole state and compares it with the invariants of
// docs/design.md §3.
package housetest
