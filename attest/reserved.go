package attest

import (
	"bytes"
	"encoding/asn1"
	"slices"
)

// reservedPrefix begins every message of ours that a key signs bare: the answer to a
// question (Presence), the parent card's word that a phone's forgotten secret be set anew
// (jpki.ResetMessage), and what stands in an Envelope.
const reservedPrefix = "warifu-"

// reservedTypes are the eContentTypes of what a card signs for us, as DER without tag and
// length: so they stand in a content type, in the contentType attribute of signed attributes
// and in whatever either is wrapped into.
var reservedTypes = func() (out [][]byte) {
	for _, oid := range []asn1.ObjectIdentifier{OIDApplicationDocument, OIDCardOrder} {
		der, err := asn1.Marshal(oid)
		if err != nil {
			panic("attest: an identifier of ours cannot be encoded: " + err.Error())
		}
		out = append(out, der[2:])
	}
	return out
}()

// Reserved reports whether octets are a paper of ours, or hold one, or are what is signed to
// make one: then nobody may have them signed as a document of theirs (design §5). A bare
// signature over the signed attributes of an application document would be an application; over
// a reset message it would open a phone that was found. Three things are looked for: a label
// of ours in front, one of our content types anywhere in it, and the body of an application
// document or of a card order. No document of anybody else's has any of them but by intent:
// the identifiers are seven octets long.
func Reserved(octets []byte) bool {
	if bytes.HasPrefix(octets, []byte(reservedPrefix)) {
		return true
	}
	if slices.ContainsFunc(reservedTypes, func(oid []byte) bool { return bytes.Contains(octets, oid) }) {
		return true
	}
	if len(octets) > MaxPaper {
		return false
	}
	_, isDocument := ParseDocument(octets)
	_, isOrder := ParseCardOrder(octets)
	return isDocument == nil || isOrder == nil
}
