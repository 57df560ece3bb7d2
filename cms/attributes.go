package cms

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// readAttributes walks the signed attributes: each type once, in DER's order, one
// value each. Types this package does not know are signed too and say nothing here.
func (m *Message) readAttributes(algorithm asn1.ObjectIdentifier) error {
	in := cryptobyte.String(m.attributes)
	var set cryptobyte.String
	if !in.ReadASN1(&set, cbasn1.SET) {
		return malformed("signedAttrs")
	}
	seen := map[string]bool{}
	var previous []byte
	for !set.Empty() {
		var element cryptobyte.String
		if !set.ReadASN1Element(&element, cbasn1.SEQUENCE) || len(seen) == maxAttributes {
			return malformed("signedAttrs")
		}
		if bytes.Compare(previous, element) > 0 {
			return malformed("order of signedAttrs")
		}
		previous = element
		oid, value, ok := readAttribute(element)
		if !ok {
			return malformed("signed attribute")
		}
		if seen[oid.String()] {
			return malformed("a signed attribute twice")
		}
		seen[oid.String()] = true
		if err := m.readKnown(oid, value, algorithm); err != nil {
			return err
		}
	}
	if !seen[oidContentType.String()] || !seen[oidMessageDigest.String()] {
		return malformed("contentType or messageDigest absent")
	}
	return nil
}

// readAttribute reads one Attribute and the single element of its values.
func readAttribute(element cryptobyte.String) (asn1.ObjectIdentifier, cryptobyte.String, bool) {
	var body, values, value cryptobyte.String
	var oid asn1.ObjectIdentifier
	var tag cbasn1.Tag
	ok := element.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1ObjectIdentifier(&oid) &&
		body.ReadASN1(&values, cbasn1.SET) && body.Empty() &&
		values.ReadAnyASN1Element(&value, &tag) && values.Empty()
	return oid, value, ok
}

func (m *Message) readKnown(oid asn1.ObjectIdentifier, value cryptobyte.String, algorithm asn1.ObjectIdentifier) error {
	switch {
	case oid.Equal(oidContentType):
		var contentType asn1.ObjectIdentifier
		if !value.ReadASN1ObjectIdentifier(&contentType) || !contentType.Equal(m.ContentType) {
			return malformed("contentType attribute")
		}
	case oid.Equal(oidMessageDigest):
		var digest cryptobyte.String
		if !value.ReadASN1(&digest, cbasn1.OCTET_STRING) || copy(m.digest[:], digest) != len(m.digest) || len(digest) != len(m.digest) {
			return malformed("messageDigest attribute")
		}
	case oid.Equal(oidSigningTime):
		t, ok := readTime(value)
		if !ok {
			return malformed("signingTime attribute")
		}
		m.SigningTime = t
	case oid.Equal(oidSigningCertificateV2):
		return m.checkSigningCertificate(value)
	case oid.Equal(oidAlgorithmProtection):
		return checkAlgorithmProtection(value, algorithm)
	}
	return nil
}

// readTime reads UTCTime for 1950 to 2049 and GeneralizedTime beyond (RFC 5652 §11.3),
// both in Z and to the second (X.690 §11.7, §11.8).
func readTime(in cryptobyte.String) (time.Time, bool) {
	var t time.Time
	const utc, generalized = 2 + len("YYMMDDHHMMSSZ"), 2 + len("YYYYMMDDHHMMSSZ")
	if len(in) == 0 || in[len(in)-1] != 'Z' {
		return t, false
	}
	if in.PeekASN1Tag(cbasn1.UTCTime) {
		ok := len(in) == utc && in.ReadASN1UTCTime(&t)
		return t, ok
	}
	ok := len(in) == generalized && in.ReadASN1GeneralizedTime(&t)
	return t, ok && (t.Year() < 1950 || t.Year() >= 2050)
}

// checkSigningCertificate holds the first ESSCertIDv2 against the signer's
// certificate (RFC 5035 §3), so that another certificate of the same key and name
// cannot stand in its place.
func (m *Message) checkSigningCertificate(value cryptobyte.String) error {
	var attribute, list, id, hash cryptobyte.String
	if !value.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1(&list, cbasn1.SEQUENCE) || !list.ReadASN1(&id, cbasn1.SEQUENCE) {
		return malformed("signingCertificateV2 attribute")
	}
	if id.PeekASN1Tag(cbasn1.SEQUENCE) {
		if err := readSHA256(&id); err != nil {
			return err
		}
	}
	if !id.ReadASN1(&hash, cbasn1.OCTET_STRING) {
		return malformed("signingCertificateV2 attribute")
	}
	if digest := sha256.Sum256(m.Signer.Raw); !bytes.Equal(hash, digest[:]) {
		return warifu.Refused("signature-certificate-mismatch")
	}
	return nil
}

// checkAlgorithmProtection reads CMSAlgorithmProtection (RFC 6211): the algorithms,
// signed, must be those the SignerInfo names outside the signature.
func checkAlgorithmProtection(value cryptobyte.String, algorithm asn1.ObjectIdentifier) error {
	var body, inner cryptobyte.String
	if !value.ReadASN1(&body, cbasn1.SEQUENCE) {
		return malformed("algorithm protection attribute")
	}
	if err := readSHA256(&body); err != nil {
		return err
	}
	if !body.ReadASN1(&inner, tagExplicit1) || !body.Empty() {
		return malformed("algorithm protection attribute")
	}
	// signatureAlgorithm is [1] IMPLICIT AlgorithmIdentifier: inner is its body.
	var oid asn1.ObjectIdentifier
	if !inner.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(algorithm) {
		return malformed("algorithm protection attribute")
	}
	return nil
}
