package crl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

var (
	oidNumber    = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReason    = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidDelta     = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidPoint     = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidAuthority = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidFreshest  = asn1.ObjectIdentifier{2, 5, 29, 46}

	oidSHA256WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

func context(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

// Head is what a list says before its entries. Times are written to the second.
type Head struct {
	Number     uint64 // CRLNumber: greater than that of every earlier list of the same scope
	ThisUpdate time.Time
	NextUpdate time.Time
	// Point, when set, is the address in the issuingDistributionPoint (critical): the
	// list covers the certificates that name this distribution point, and no others.
	Point string
	// Freshest, when set, is the address of the deltas on a full list: its freshestCRL
	// (§5.2.6). A delta must not have one.
	Freshest string
	// Base, when not zero, makes the list a delta on the full list of that number.
	Base uint64
}

// Records hands every record the list is to name to add, in any order, and returns
// add's error or its own. Each serial number stands once.
type Records func(add func(warifu.StatusRecord) error) error

// None is the empty stream.
func None(func(warifu.StatusRecord) error) error { return nil }

// Write builds the list of the issuer, signs it with key (RSA or P-256, SHA-256) and
// writes its DER to w, holding it in memory: for lists that are small, or the only one.
// A Draft makes large ones and many at once. Only revoked records are taken; in a delta
// also good ones, whose entry says removeFromCRL. Nothing is written on an error.
func Write(w io.Writer, head Head, records Records, issuer *x509.Certificate, key crypto.Signer) error {
	draft := NewDraft(new(Memory), head)
	if err := records(draft.Add); err != nil {
		return err
	}
	if err := draft.Sign(issuer, key); err != nil {
		return err
	}
	_, err := io.Copy(w, draft.Reader())
	return err
}

// frame returns the octets of tbsCertList around its entries, of which there are
// entries octets. revokedCertificates is absent when nothing is revoked (§5.1.2.6).
func (h Head) frame(algorithm asn1.ObjectIdentifier, issuer *x509.Certificate, entries int64) (before, after []byte, err error) {
	if h.Number == 0 || (h.Base != 0 && (h.Base >= h.Number || h.Freshest != "")) || !h.NextUpdate.After(h.ThisUpdate) {
		return nil, nil, errors.New("crl: the number, its base or the times make no list")
	}
	var b, e cryptobyte.Builder
	b.AddASN1Int64(1) // v2
	addAlgorithm(&b, algorithm)
	b.AddBytes(issuer.RawSubject)
	addTime(&b, h.ThisUpdate)
	addTime(&b, h.NextUpdate)
	if entries > 0 {
		b.AddBytes(header(cbasn1.SEQUENCE, entries))
	}
	e.AddASN1(context(0), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { h.addExtensions(b, issuer) })
	})
	if before, err = b.Bytes(); err != nil {
		return nil, nil, err
	}
	if after, err = e.Bytes(); err != nil {
		return nil, nil, err
	}
	return append(header(cbasn1.SEQUENCE, int64(len(before)+len(after))+entries), before...), after, nil
}

func (h Head) addExtensions(b *cryptobyte.Builder, issuer *x509.Certificate) {
	addExtension(b, oidAuthority, false, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(issuer.SubjectKeyId) })
		})
	})
	addExtension(b, oidNumber, false, func(b *cryptobyte.Builder) { b.AddASN1Uint64(h.Number) })
	if h.Base != 0 {
		addExtension(b, oidDelta, true, func(b *cryptobyte.Builder) { b.AddASN1Uint64(h.Base) })
	}
	if h.Point != "" {
		addExtension(b, oidPoint, true, func(b *cryptobyte.Builder) { addPoint(b, h.Point) })
	}
	if h.Freshest != "" {
		addExtension(b, oidFreshest, false, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addPoint(b, h.Freshest) })
		})
	}
}

// addPoint encodes an IssuingDistributionPoint (§5.2.5) or DistributionPoint (§4.2.1.13)
// that has a distributionPoint fullName of one URI and nothing else: they look alike.
func addPoint(b *cryptobyte.Builder, address string) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(context(0), func(b *cryptobyte.Builder) {
			b.AddASN1(context(0), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(address)) })
			})
		})
	})
}

// reasonExtension is the entry extension reasonCode (§5.3.1) up to its last octet, the
// reason. It stands here encoded because lists have a million of them.
var reasonExtension = []byte{0x30, 0x0C, 0x30, 0x0A, 0x06, 0x03, 0x55, 0x1D, 0x15, 0x04, 0x03, 0x0A, 0x01}

// appendEntry appends one revokedCertificates entry (§5.3), which has less than 128 octets.
func appendEntry(out []byte, r warifu.StatusRecord, head Head) ([]byte, error) {
	reason := r.Status.Reason
	switch {
	case len(r.Serial) == 0 || len(r.Serial) > maxSerial:
		return out, fmt.Errorf("crl: a serial number of %d octets", len(r.Serial))
	case r.Status.Cert == warifu.StatusRevoked && reason.Valid() && (reason != warifu.ReasonRemoveFromCRL || head.Base != 0):
	case r.Status.Cert == warifu.StatusGood && head.Base != 0:
		reason = warifu.ReasonRemoveFromCRL
	default:
		return out, fmt.Errorf("crl: a record that is %s, %s is not for this list", r.Status.Cert, reason)
	}
	at := r.Status.RevokedAt
	if at.IsZero() {
		at = head.ThisUpdate
	}
	if at = at.UTC(); at.Year() < 0 || at.Year() > 9999 {
		return out, fmt.Errorf("crl: revoked in the year %d", at.Year())
	}
	begin := len(out)
	out = appendSerial(append(out, byte(cbasn1.SEQUENCE), 0), r.Serial)
	if at.Year() >= 1950 && at.Year() < 2050 { // §5.1.2.4
		out = at.AppendFormat(append(out, byte(cbasn1.UTCTime), 13), "060102150405Z")
	} else {
		out = at.AppendFormat(append(out, byte(cbasn1.GeneralizedTime), 15), "20060102150405Z")
	}
	if reason != warifu.ReasonUnspecified { // §5.3.1: rather absent
		out = append(append(out, reasonExtension...), byte(reason))
	}
	out[begin+1] = byte(len(out) - begin - 2)
	return out, nil
}

// appendSerial appends a big-endian number of at most maxSerial octets as an INTEGER.
func appendSerial(out, serial []byte) []byte {
	for len(serial) > 1 && serial[0] == 0 {
		serial = serial[1:]
	}
	if serial[0]&0x80 != 0 {
		return append(append(out, byte(cbasn1.INTEGER), byte(len(serial)+1), 0), serial...)
	}
	return append(append(out, byte(cbasn1.INTEGER), byte(len(serial))), serial...)
}

func addExtension(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, critical bool, value cryptobyte.BuilderContinuation) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1(cbasn1.OCTET_STRING, value)
	})
}

// addTime encodes a Time (§5.1.2.4): UTCTime through 2049.
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC().Truncate(time.Second)
	if t.Year() >= 1950 && t.Year() < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if oid.Equal(oidSHA256WithRSA) {
			b.AddASN1NULL()
		}
	})
}

func algorithmOf(key crypto.PublicKey) (asn1.ObjectIdentifier, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return oidSHA256WithRSA, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return oidECDSAWithSHA256, nil
		}
	}
	return nil, errors.New("crl: the authority's key is neither RSA nor P-256")
}

// header returns tag and length of an element whose content has n octets; cryptobyte
// would want the content with it.
func header(tag cbasn1.Tag, n int64) []byte {
	if n < 0x80 {
		return []byte{byte(tag), byte(n)}
	}
	length := big.NewInt(n).Bytes()
	return append([]byte{byte(tag), 0x80 | byte(len(length))}, length...)
}
