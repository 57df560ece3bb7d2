// Package carrier sells mobile contracts that are signed standing in a train (R54): the
// contract is a PDF file, the phone signs it within itself (PAdES) after the password, and
// there is no photograph of the card and no selfie. A card at a reader signs as well, unless
// the customer asked for the phone.
//
// It is a relying party like any other: it logs people in and has contracts signed through
// package relyingparty, and asks the verification service over HTTP, at once and years later
// from the evidence that was kept.
package carrier
