// Package profile is every certificate of the house as code: the certification
// authorities, the card's two certificates, the phone's two, the delegated OCSP
// responder and the maker's attestation chain. Whoever issues builds with it and
// whoever verifies checks with it, so that the two cannot drift apart.
//
// A certificate is made in three strokes: TBS builds the DER tbsCertificate
// (RFC 5280 §4.1) directly, somebody who holds a key signs those octets, and
// Certificate puts the two together. Sign does the last two at once. Check
// answers with the first Rule a certificate breaks; Broken lists all of them.
//
// docs/profile.md shows the same profiles as tables for people who read
// certificates rather than Go. The card's profiles follow docs/card-facts.md §2;
// the phone's are our own, since nothing public gives the real ones, and carry
// policies under our own arc.
package profile
