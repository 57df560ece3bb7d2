// Package portal is the government's portal for one person (マイナポータル's part, R59, R60,
// R66): who logs in with phone or card sees their own medicines and health checks, the
// mother-and-child handbook and notices, finds procedures of a town by a word and applies
// for them with a signed form (ぴったりサービス), announces a move, and goes on to the tax
// office.
//
// It is a relying party like any other: it logs people in and has forms signed through
// package relyingparty, has signatures checked by the verification service over HTTP, and
// uses nothing else of the house. What it shows about a person is invented, the same for the
// same person at every start, and has no My Number in it.
package portal
