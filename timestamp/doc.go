// Package timestamp is the Time-Stamp Protocol of RFC 3161 with RFC 5816: requests,
// answers, and the tokens in them, which prove that a digest existed at an instant.
//
// It makes and accepts a strict part of it: SHA-256 imprints, tokens that are CMS
// messages of package cms (one signer, SHA-256, signingCertificateV2, DER), times to the second
// or to parts of it, and no extensions. It holds no key and opens no connection.
package timestamp
