// Package marketplace sells used phones (R81–R84): a listing stays blocked until the chip
// itself has proved that nothing is left on it (手放し証明), a buyer checks what a seller shows,
// and a shop that buys in bulk has a table of what may be bought. It speaks HTTP to the
// issuer and nothing else of the house but the papers' formats (package attest), so that it
// is also the example a real one can start from.
//
// Nobody who works here can revoke for a holder (R73, K15): there is no such door, and the
// page that staff turn to says what the holder has to do.
package marketplace
