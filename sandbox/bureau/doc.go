// Package bureau is the sandbox's card bureau: what J-LIS and a municipality are to
// the real service. It keeps the parent authorities (O=WARIFU-TEST, otherwise the
// profile of docs/card-facts.md §2), issues a card's certificates the first time the
// card is touched or in the background, answers for their state by OCSP and CRL, and
// signs card statements (design §3.3): the word about a card on which one device a
// person, supersession and each credential's parent rest.
//
// Everything lies in one folder and survives a restart: the world's start, the keys,
// a file for each card, a file for each card's chip memory. Readers never wait for a
// key being generated: a card's record is immutable and replaced whole, first on the
// disk and then in memory.
//
// It is a sandbox's bureau: its keys are files without protection, it prints PINs,
// and its persons are invented.
package bureau
