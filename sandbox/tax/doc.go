// Package tax is a tax office for income tax returns (R65, R66). A return is a small XML
// document of our own (docs/services.md has the schema), written in one way only, so that
// whoever reads it can write it again and compare octets. It is filled in from wage slips, and
// one tap on the phone logs in and signs it with XAdES: one authorization, where the real
// service once took several. A signed file can be handed in without a login too.
//
// What is refused: a signature by somebody other than the taxpayer, a document that was changed
// or wrapped, a key for user authentication, a certificate that is on hold or over. A second
// return of a year amends the first.
package tax
