package ca

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"hash"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu/profile"
)

// zlint asks a certificate some hundred and fifty questions. Two certificates of one
// shape get the same answers, so each shape is asked once (Issuer.zlintOnce): the
// profile's rules and our own lints are asked of every certificate before.
//
// The shape is every octet of tbsCertificate except the contents below. The lints that
// registry selects were read (zlint 3.7.3) for what they look at; TestTheLintsAreThoseRead
// fails when they become others. Of what is cut out they ask nothing but what is demanded
// here or stands in the shape:
//
//   - serial number: positive, at most 20 octets. It is 17, the first of them 01 to 7F.
//   - notAfter: that it is in the form its year demands, with seconds, in Zulu time, and
//     not before notBefore. notBefore stands in the shape whole, and so does the form of
//     notAfter; from which day a lint is in effect is asked of notBefore alone.
//   - the common name: characters, spaces at its ends, length. It is 24 of A–Z and 2–7.
//   - the point of a P-256 key: nothing. The lints of keys are of RSA; other keys have no
//     shape and all lints are asked.
//   - subjectKeyIdentifier: whether it is critical. Its value is what the profile demands.
//   - subjectAltName: whether it is there, has names, has empty ones, and what its DNS
//     names, addresses and URIs are. It is six otherNames that are not empty, in the only
//     encoding profile.ParseAttributes takes, or is not there.
//
// Whether anything at all is well-formed DER, the parsers find out before.

// shapeOf returns the digest of what zlint's answers can depend on; false for a
// certificate that has no shape, all lints of which are to be asked.
func shapeOf(c *x509.Certificate) (shape [sha256.Size]byte, ok bool) {
	h := sha256.New()
	in := cryptobyte.String(c.RawTBSCertificate)
	var tbs, version, serial, algorithm, issuer, validity, subject, key, wrapped, extensions cryptobyte.String
	ok = in.ReadASN1(&tbs, cbasn1.SEQUENCE) && in.Empty() &&
		tbs.ReadASN1Element(&version, cbasn1.Tag(0).ContextSpecific().Constructed()) && tbs.ReadASN1(&serial, cbasn1.INTEGER) &&
		tbs.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) && tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) &&
		tbs.ReadASN1(&validity, cbasn1.SEQUENCE) && tbs.ReadASN1Element(&subject, cbasn1.SEQUENCE) &&
		tbs.ReadASN1Element(&key, cbasn1.SEQUENCE) &&
		tbs.ReadASN1(&wrapped, cbasn1.Tag(3).ContextSpecific().Constructed()) && tbs.Empty() &&
		wrapped.ReadASN1(&extensions, cbasn1.SEQUENCE) && wrapped.Empty()
	if !ok || len(serial) != profile.SerialLength || serial[0] < 0x01 || serial[0] > 0x7f || bytes.Equal(issuer, subject) {
		return shape, false
	}
	put(h, version, algorithm, issuer)
	ok = putValidity(h, validity, c) && putSubject(h, subject, c) && putKey(h, key) && putExtensions(h, extensions, c)
	h.Sum(shape[:0])
	return shape, ok
}

// put writes parts that cannot run into each other: each is DER or of one length.
func put(h hash.Hash, parts ...[]byte) {
	for _, p := range parts {
		h.Write(p)
	}
}

func putValidity(h hash.Hash, in cryptobyte.String, c *x509.Certificate) bool {
	var notBefore, notAfter cryptobyte.String
	var form cbasn1.Tag
	if !in.ReadAnyASN1Element(&notBefore, &form) || !in.ReadAnyASN1(&notAfter, &form) || !in.Empty() {
		return false
	}
	short, long := form == cbasn1.UTCTime && len(notAfter) == len("YYMMDDhhmmssZ"), form == cbasn1.GeneralizedTime && len(notAfter) == len("YYYYMMDDhhmmssZ")
	digits, zulu := bytes.CutSuffix(notAfter, []byte("Z"))
	put(h, notBefore, []byte{byte(form)})
	return (short && c.NotAfter.Year() < 2050 || long && c.NotAfter.Year() >= 2050) && zulu &&
		len(bytes.Trim(digits, "0123456789")) == 0 && c.NotBefore.Add(time.Second).Before(c.NotAfter)
}

// putSubject cuts out an opaque common name at the end.
func putSubject(h hash.Hash, subject []byte, c *x509.Certificate) bool {
	name := c.Subject.CommonName
	rest, ok := bytes.CutSuffix(subject, []byte(name))
	put(h, rest)
	return ok && opaque(name)
}

// putKey keeps what stands before the two coordinates of a P-256 key.
func putKey(h hash.Hash, key []byte) bool {
	const coordinates = 64
	if len(key) != len(beforePoint)+coordinates || !bytes.HasPrefix(key, beforePoint) {
		return false
	}
	put(h, beforePoint)
	return true
}

// beforePoint is SubjectPublicKeyInfo of an uncompressed P-256 key up to the point's
// coordinates (RFC 5480 §2).
var beforePoint = []byte{
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
	0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
}

func putExtensions(h hash.Hash, in cryptobyte.String, c *x509.Certificate) bool {
	for !in.Empty() {
		var element, body, oid, critical cryptobyte.String
		if !in.ReadASN1Element(&element, cbasn1.SEQUENCE) {
			return false
		}
		body = element
		if !body.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Element(&oid, cbasn1.OBJECT_IDENTIFIER) {
			return false
		}
		if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Element(&critical, cbasn1.BOOLEAN) {
			return false
		}
		var value cryptobyte.String
		if !body.ReadASN1(&value, cbasn1.OCTET_STRING) || !body.Empty() {
			return false
		}
		switch {
		case bytes.Equal(oid, subjectKeyIdentifier):
			id, err := profile.KeyID(c.RawSubjectPublicKeyInfo)
			if err != nil || len(value) != 2+len(id) || !bytes.HasSuffix(value, id) {
				return false
			}
			put(h, oid, critical, value[:2])
		case bytes.Equal(oid, subjectAltName):
			if _, there, err := profile.ParseAttributes(c); err != nil || !there {
				return false
			}
			put(h, oid, critical)
		default:
			put(h, element)
		}
	}
	return true
}

// id-ce-subjectKeyIdentifier and id-ce-subjectAltName, DER (RFC 5280 §4.2.1).
var (
	subjectKeyIdentifier = []byte{0x06, 0x03, 0x55, 0x1d, 0x0e}
	subjectAltName       = []byte{0x06, 0x03, 0x55, 0x1d, 0x11}
)

// zlintOnce asks zlint about a certificate unless one of its shape was found faultless.
func (i *Issuer) zlintOnce(der []byte, c *x509.Certificate) error {
	shape, ok := shapeOf(c)
	if ok && i.shapes.Has(shape) {
		return nil
	}
	err := i.zlintAll(der)
	if ok && err == nil {
		i.shapes.Tell(shape)
	}
	return err
}
