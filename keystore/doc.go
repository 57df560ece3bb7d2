// Package keystore holds keys where nobody can read them by accident. Private keys
// come out as crypto.Signer and symmetric keys as operations; neither comes out as
// octets. A PKCS#11 module can stand behind the same two shapes later.
//
// A Store is a folder with one small encrypted file a key (AES-256-GCM under a key
// derived once from the passphrase by Argon2id, RFC 9106). Names and purposes are
// authenticated with the octets, so that files cannot be exchanged for one another.
// Every file is written whole, flushed and linked into place: after a crash a key is
// there or it is not. Memory is the same without a folder, for tests.
//
// Only the roof and the garden import this package (docs/design.md §2); everybody
// else is handed a crypto.Signer or a small interface.
package keystore
