// Package provision personalizes a secure element from afar: it writes the certificates
// and the parent card's key into the shadow slots, pins the keys whose kill tickets the
// chip will obey, obtains the chip's receipt, and, once the caller has committed, makes
// the slots live in place of whatever was live before (design §3.7).
//
// A Session is a script of APDUs in the secure channel SCP03; the app on the phone is the
// postman of octets it cannot read. A session that is cut at any APDU is simply
// forgotten: a fresh one asks the chip by digest what is there and writes the rest. The
// package holds no private key: the static keys of the chip's domain are operations
// behind Keys, and what the chip signs is checked by who holds its certificate.
package provision
