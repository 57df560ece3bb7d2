// Package document puts signatures into documents people and offices exchange, and
// finds them there again: PDF files (PAdES baseline, ETSI EN 319 142-1, in ISO 32000) and
// XML (XMLDSig, XAdES baseline).
//
// Writers work in two steps, since the key lies in a phone: Prepare… returns what is to
// be signed, Finish takes the signature. Readers are strict and repair nothing: two programs
// that repair differently show people different documents under one signature. Whether a
// signature is anybody's is for package verify to say; here is told what it covers, and
// what became different afterwards.
package document
