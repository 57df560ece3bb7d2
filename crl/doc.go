// Package crl is the codec of certificate revocation lists (RFC 5280 §5): it builds
// full lists and deltas from a stream of status records, and reads lists strictly
// and boundedly so that a serial number is found without a pass over the list.
//
// A list's length stands in its first octets, before its entries, and the length of
// its signature is known last. Write therefore keeps the encoded entries (some forty
// octets each) and nothing else of a record, and reads its source once.
package crl
