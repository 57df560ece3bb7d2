// Package signed checks signatures, each once. Whether a signature over a digest is a
// key's is a fact that never changes, and one application's papers are checked by the
// registration authority and by both certification authorities, each for itself: the
// second and third time the fact is remembered. What is remembered is the SHA-256
// value of key, digest and signature together, and only of those that held; the
// memory is bounded and lives as long as the process. Validity, purpose, status and
// trust are nobody's to remember and are not looked at here (docs/adr/0007).
//
// What octets decode to is remembered in the same way (Read): that, too, never changes.
//
// SHA-256 only: PKCS#1 v1.5 for RSA keys, ASN.1 ECDSA-Sig-Value for P-256.
package signed
