// Package offline is what a verifier without a line needs: the status of every
// certificate of an authority in one signed file, a tenth of an octet each, exact over
// what it says it covers (Pack), and the smaller files that bring it up to date.
//
// What is covered has to be seen from a certificate alone, and a certificate says only
// the day in Japan it was issued on: its notBefore is that day's beginning. So a pack
// covers the days that are over, and of the present day those in an exact list (Recent).
// All others, and what has expired, are unknown to it, and nothing is ever good by chance
// (docs/adr/0010).
//
// A Publisher makes packs and deltas from an authority's record, and the same state as
// Token Status Lists. It speaks to no network: package web serves what it made, and
// verify.Offline reads it.
package offline
