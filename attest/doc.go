// Package attest holds the signed papers that pass between the parties: the
// application document the card signs, the secure element's attestation of its
// keys, its statement that the phone's secrets are set, its receipt, its requests,
// the card bureau's statement, the challenge that begins it all, and the message
// an authentication key signs. It is format and check; it touches no database and
// no socket.
//
// Every paper is DER (encoding/asn1 structures, re-encoded and compared on
// parsing, so that one paper has one encoding) of at most MaxPaper octets. Papers
// other than the application document travel in an Envelope: SEQUENCE { body OCTET
// STRING, signature OCTET STRING }, where the signature is ECDSA P-256 over
// SHA-256(context ‖ 00 ‖ body) in ASN.1 form and the context names the paper, so
// that a signature on one paper never serves for another. The application
// document travels as eContent of CMS (package cms) and is identified by
// SHA-256(eContent).
//
// The formats are our own design: nothing public says how the real service does
// it (docs/card-facts.md §5). docs/papers.md draws each.
package attest
