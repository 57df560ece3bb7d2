// Package bank is a small relying party: it lets customers in who prove their
// presence with the authentication key of a phone or a card, and takes documents
// signed with their signature key. It uses package verify and HTTP and nothing else
// of the house, so that it is also the example a real one can start from.
package bank
