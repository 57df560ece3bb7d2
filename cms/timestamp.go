package cms

import (
	"bytes"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxTimestamp bounds a time-stamp token in octets.
const maxTimestamp = 32 << 10

// readUnsigned reads what may follow the signature: one unsigned attribute, the
// signature's time-stamp. Nobody vouches for anything else that could stand there.
func (m *Message) readUnsigned(in *cryptobyte.String) error {
	if in.Empty() {
		return nil
	}
	var set, element, value cryptobyte.String
	var oid asn1.ObjectIdentifier
	ok := in.ReadASN1(&set, tagExplicit1) && in.Empty() && set.ReadASN1Element(&element, cbasn1.SEQUENCE) && set.Empty()
	if ok {
		oid, value, ok = readAttribute(element)
	}
	if !ok || !oid.Equal(oidSignatureTimestamp) || !value.PeekASN1Tag(cbasn1.SEQUENCE) || len(value) > maxTimestamp {
		return malformed("unsignedAttrs")
	}
	m.Timestamp = value
	return nil
}

// AddTimestamp puts a time-stamp token over SHA-256 of the message's signature into it
// (CAdES-B-T, ETSI EN 319 122-1 §5.3), in place of one that is there. Whether the token
// speaks of that signature is for its reader to check. Errors as Parse.
func AddTimestamp(der, token []byte) ([]byte, error) {
	m, err := Parse(der)
	if err != nil {
		return nil, err
	}
	if len(token) > maxTimestamp || !isSequence(token) {
		return nil, malformed("time-stamp token")
	}
	attribute, err := attribute(oidSignatureTimestamp, func(b *cryptobyte.Builder) { b.AddBytes(token) })
	if err != nil {
		return nil, err
	}
	return m.rewrite(func(b *cryptobyte.Builder) {
		b.AddASN1(tagExplicit1, func(b *cryptobyte.Builder) { b.AddBytes(attribute) })
	})
}

func isSequence(der []byte) bool {
	in := cryptobyte.String(der)
	return in.SkipASN1(cbasn1.SEQUENCE) && in.Empty()
}

// rewrite writes the message again with other unsigned attributes. Everything else is
// copied octet for octet: parsing has checked that it is there, and in this order.
func (m *Message) rewrite(unsigned cryptobyte.BuilderContinuation) ([]byte, error) {
	data, err := openContentInfo(m.Raw)
	if err != nil {
		return nil, err
	}
	body, signers, found := data, cryptobyte.String(nil), false
	for rest := data; !rest.Empty(); {
		var element cryptobyte.String
		var tag cbasn1.Tag
		before := len(data) - len(rest)
		if !rest.ReadAnyASN1Element(&element, &tag) {
			return nil, malformed("SignedData")
		}
		if rest.Empty() && tag == cbasn1.SET {
			body, signers, found = data[:before], element, true
		}
	}
	var set, info cryptobyte.String
	if !found || !signers.ReadASN1(&set, cbasn1.SET) || !set.ReadASN1(&info, cbasn1.SEQUENCE) {
		return nil, malformed("signerInfos")
	}
	kept := info
	for at := info; !at.Empty(); {
		before := len(info) - len(at)
		var element cryptobyte.String
		var tag cbasn1.Tag
		if !at.ReadAnyASN1Element(&element, &tag) {
			return nil, malformed("SignerInfo")
		}
		if tag == tagExplicit1 {
			kept = info[:before]
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(tagExplicit0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(body)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(kept)
						unsigned(b)
					})
				})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	if again, err := Parse(out); err != nil || !bytes.Equal(again.Signature, m.Signature) {
		return nil, malformed("time-stamp token")
	}
	return out, nil
}
