// Package cashless is a payment service (R61): one signs up by logging in, links a bank account
// whose verified holder has the same name and birth date, and pays up to a monthly limit that
// depends on how sure the service is of who one is. A larger payment wants presence shown
// anew, on the spot (prompt=login, max_age): a session left open in a shop pays nothing large.
//
// It is a relying party that never asks for a signature and has no key at the verification
// service: package relyingparty and the bank's HTTP door are all it uses.
package cashless
