// Package verification is the checking that the service does for relying parties who do not
// write Go: is this signature good, whose kind of credential was it, what is its status, and
// later once more from the evidence that was kept. It is package verify with a memory.
//
// A relying party is who the operator gave a key to, with limits. It keeps the identifier and
// the digest of what was checked; certificates and evidence stay here, sealed under the
// holder's key (requirements B.10). It is told the attributes that it asked for and its key
// allows, only of a good signature, and, where the scheme says so, only after the holder
// approved on the phone.
//
// Everything that a relying party does here stands in the holder's ledger (package ledger)
// within the same transaction. A node that is cut off from the database answers all the same,
// keeps no evidence, and hands its entries in later, marked late.
package verification
