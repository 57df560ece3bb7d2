// Package offline is what a verifier without a line needs: the status of every
// certificate of an authority in one signed file, a tenth of an octet each, exact over
// what it says it covers (Pack), and the smaller files that bring it up to date.
package offline
