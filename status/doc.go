// Package status tells anybody who asks whether a certificate is good: an OCSP
// responder (RFC 6960, RFC 5019, RFC 9654) with a delegated key and a publisher of
// certificate revocation lists, each over one small interface to whatever knows.
//
// It holds no key of a certification authority and knows no database. The
// responder signs with a key the authority appointed for that and nothing else; a
// list is signed by a function that whoever holds the authority hands in.
//
// Asking is anonymous: neither a serial number nor an address is logged here.
package status
