// Package ca is one certification authority: an Issuer that is handed evidence and
// hands back certificates (docs/design.md §3.5). There is one for each kind, each
// with its own key, its own serial numbers and its own Ledger.
//
// It believes nobody. Everything an application rests on (the card's signature and
// certificate, the card bureau's statement, the card's status answers, the secure
// element's attestation and its word that the secrets are set, the age of the
// challenge) it checks itself, against trust anchors of its own configuration and
// its own clock, so that whoever owns the web tier, the queue or the registration
// database can delay a certificate but not make one. The hostile suite in
// hostile_test.go is that sentence as a test.
//
// The cycle is check, record, act. What passes becomes an intent: the serial number
// and the to-be-signed octets, linted by zlint and by our own Lints. A batch of
// intents is one commit in the Ledger. Only then the key signs, and it signs the
// recorded octets, never others; a second commit records the certificates, and only
// recorded octets leave. Whatever dies in between, a retry finds the intent and goes
// on from there with the same octets; no transaction is open while a key signs.
//
// The package opens no socket, no file and no database.
package ca
