// Package ocsp is the codec of the Online Certificate Status Protocol (RFC 6960,
// with the nonce of RFC 9654 and the SHA-256 CertIDs of RFC 9919): requests with
// several CertIDs, responses signed by a delegated responder or by the authority
// itself, and the checks a client owes both. It opens no socket; package status
// answers and package verify asks. Beside it stands a format of our own, the status
// history, which tells what a responder for the present cannot: when a certificate
// was on hold.
//
// It reads strictly and boundedly: DER, one basic response, every time in Z, SHA-256
// signatures only. It differs from golang.org/x/crypto/ocsp in having nonces,
// several CertIDs and SHA-256 CertIDs, and in checking the responder's authority.
package ocsp
