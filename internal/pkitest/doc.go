// Package pkitest asks other people's software what it believes of our certificates, lists and
// answers, and other people's test vectors what our own parsers and checks believe.
//
//   - OpenSSL and the PKIX checker of the Java platform, and package verify beside them, ask
//     the handlers that a server has, over HTTP on loopback, about a certificate that is good,
//     revoked, held, resumed, not in use yet or never issued: by OCSP, by the full list, by
//     the partial list, and with the delta where the client knows deltas.
//   - NIST's PKITS, Netflix's BetterTLS and C2SP's Wycheproof bring certificates, names and
//     signatures that are wrong in ways worth knowing.
//
// It has tests only. What needs a program that is not installed, or a download that cannot be
// had, is skipped and says so.
package pkitest
