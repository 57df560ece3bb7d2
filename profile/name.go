package profile

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The attribute types of our distinguished names, X.520.
var (
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5}
	oidCountry      = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidLocality     = asn1.ObjectIdentifier{2, 5, 4, 7}
	oidOrganization = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidUnit         = asn1.ObjectIdentifier{2, 5, 4, 11}
)

// part is one relative distinguished name with its single attribute.
type part struct {
	oid   asn1.ObjectIdentifier
	value string
}

// encodeName encodes a Name, one attribute a RDN. Country and serial number are
// PrintableString, as RFC 5280 appendix A.1 demands, everything else UTF8String.
func encodeName(parts ...part) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, p := range parts {
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(p.oid)
					b.AddASN1(stringTag(p.oid), func(b *cryptobyte.Builder) { b.AddBytes([]byte(p.value)) })
				})
			})
		}
	})
	return b.BytesOrPanic() // cannot fail: the identifiers are our own and lengths far below any limit
}

func stringTag(oid asn1.ObjectIdentifier) cbasn1.Tag {
	if oid.Equal(oidCountry) || oid.Equal(oidSerialNumber) {
		return cbasn1.PrintableString
	}
	return cbasn1.UTF8String
}

// partsOf lists a parsed name's attributes in order.
func partsOf(n pkix.Name) []part {
	out := make([]part, 0, len(n.Names))
	for _, a := range n.Names {
		s, _ := a.Value.(string)
		out = append(out, part{a.Type, s})
	}
	return out
}

// shaped reports whether the parts are of exactly these types in this order, each
// with a value of 1 to 64 characters (the upper bounds of RFC 5280 appendix A.1).
func shaped(parts []part, types ...asn1.ObjectIdentifier) bool {
	if len(parts) != len(types) {
		return false
	}
	for i, p := range parts {
		if !p.oid.Equal(types[i]) || !text(p.value, 64) {
			return false
		}
	}
	return true
}

// printable reports whether s is 1 to limit characters of PrintableString.
func printable(s string, limit int) bool {
	const others = " '()+,-./:=?"
	if s == "" || len(s) > limit {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(others, r)
	})
}

// directoryName encodes GeneralName [4]; CHOICE makes the tag explicit.
func directoryName(b *cryptobyte.Builder, name []byte) {
	b.AddASN1(cbasn1.Tag(4).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(name) })
}

// uniformResource encodes GeneralName [6].
func uniformResource(b *cryptobyte.Builder, uri string) {
	b.AddASN1(cbasn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(uri)) })
}
