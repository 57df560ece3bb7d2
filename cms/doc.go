// Package cms makes and reads the strict subset of Cryptographic Message Syntax
// (RFC 5652) that the house signs documents with: SignedData with exactly one
// SignerInfo, identified by issuer and serial number, whose certificate is inside;
// signed attributes always there, contentType and messageDigest once each,
// signingTime, signingCertificateV2 (RFC 5035) and algorithm protection (RFC 6211)
// at most once and checked; SHA-256 and nothing else; RSA PKCS#1 v1.5 of 2048 to
// 4096 bits or ECDSA on P-256; DER from the first octet to the last.
//
// What a general CMS library forgives is refused here: absent signed attributes
// (which let a signature over attributes serve as one over content), a second
// signer, an unknown second encoding of the same message, octets after the end. A
// message is therefore read one way only, and what Verify says of it is what
// `openssl cms -verify` says.
//
// The signing key stands in a chip, so signing has two halves: Prepare makes the
// octets to be signed, the chip signs their digest, and Finish checks the
// signature before it lets the message out.
package cms
