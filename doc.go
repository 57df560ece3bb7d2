// Package warifu holds the words of the house: what an application, a
// credential, a hold, a reason and a status are, which lives they may live, what
// time it is and how an error speaks. It imports nothing of ours, opens no
// socket, no database and no file, so that a reader of this package knows the
// house and every other package can use its words.
//
// The words are those of RFC 5280, RFC 6960, SP 800-63, SP 800-157, ISO 7816 and
// GlobalPlatform, and the law's own nouns; docs/design.md §1 lists them. R and K
// numbers in comments refer to docs/requirements.md.
package warifu
