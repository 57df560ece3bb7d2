// Package jpki holds the contract of the JPKI application (公的個人認証 AP) and its
// client: the name it is selected by, its files, keys and PINs, the rules those PINs
// follow, the token that says whether a card or a phone answers, and the commands an
// app sends. The card's application is public knowledge (docs/card-facts.md §1); the
// phone's answers the same commands under a token of its own (§4), and its further
// commands (docs/secure-element.md) are this house's design.
//
// It speaks to any iso7816.Transmitter and never imports the emulation of one, so
// that a real card in a real reader changes nothing here.
package jpki
