package crl

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

const (
	// MaxList bounds a list in octets: some 1.6 million entries.
	MaxList = 64 << 20
	// MaxSkew is how far in the future a list's thisUpdate may lie.
	MaxSkew = 5 * time.Minute

	maxSerial = 20
)

// List is a parsed list. Nothing in it is to be believed before Verify.
type List struct {
	Number     *big.Int // CRLNumber
	ThisUpdate time.Time
	NextUpdate time.Time
	Base       *big.Int // of a delta; nil in a full list
	// Points are the addresses of the issuingDistributionPoint; PointNamed says that
	// there is one, though it may hold names of another sort.
	Points     []string
	PointNamed bool
	// Freshest are the addresses where deltas on this full list are (freshestCRL).
	Freshest []string
	Raw      []byte

	issuer    []byte // DER Name
	scope     []byte // value of issuingDistributionPoint; nil: none
	authority []byte // value of authorityKeyIdentifier; nil: none
	entries   []byte // content of revokedCertificates
	index     []uint32
	tbsDigest [sha256.Size]byte
	algorithm asn1.ObjectIdentifier
	signature []byte
}

func malformed(what string) error { return warifu.Invalid("crl-malformed", "what", what) }

// Parse reads a list of at most MaxList octets: version 2, every entry whole, no
// serial number twice, no critical extension that is not understood, no indirect
// list and none that covers only some reasons. Errors: Invalid "crl-malformed", TooLarge
// "crl-too-large".
func Parse(der []byte) (*List, error) {
	if len(der) > MaxList {
		return nil, warifu.TooLarge("crl-too-large")
	}
	in := cryptobyte.String(der)
	var outer, tbs cryptobyte.String
	var signature asn1.BitString
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return nil, malformed("CertificateList")
	}
	l := &List{Raw: der, tbsDigest: sha256.Sum256(tbs)}
	var ok bool
	if l.algorithm, ok = readAlgorithm(&outer); !ok || !outer.ReadASN1BitString(&signature) || signature.BitLength%8 != 0 || !outer.Empty() {
		return nil, malformed("signature")
	}
	l.signature = signature.Bytes
	if err := l.readTBS(tbs); err != nil {
		return nil, err
	}
	return l, l.buildIndex()
}

func (l *List) readTBS(element cryptobyte.String) error {
	var tbs, issuer, entries, extensions cryptobyte.String
	var version int
	if !element.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadASN1Integer(&version) || version != 1 {
		return malformed("version")
	}
	if inner, ok := readAlgorithm(&tbs); !ok || !inner.Equal(l.algorithm) {
		return malformed("signature algorithm")
	}
	if !tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) {
		return malformed("issuer")
	}
	l.issuer = issuer
	if !readTime(&tbs, &l.ThisUpdate) || !readTime(&tbs, &l.NextUpdate) || !l.NextUpdate.After(l.ThisUpdate) {
		return malformed("thisUpdate or nextUpdate")
	}
	if tbs.PeekASN1Tag(cbasn1.SEQUENCE) {
		if !tbs.ReadASN1(&entries, cbasn1.SEQUENCE) || entries.Empty() {
			return malformed("revokedCertificates")
		}
		l.entries = entries
	}
	if !tbs.ReadASN1(&extensions, context(0)) || !tbs.Empty() {
		return malformed("crlExtensions")
	}
	return l.readExtensions(extensions)
}

func (l *List) readExtensions(explicit cryptobyte.String) error {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() {
		return malformed("crlExtensions")
	}
	seen := map[string]bool{}
	for !list.Empty() {
		oid, critical, value, ok := readExtension(&list)
		if !ok || seen[oid.String()] || len(seen) == 16 {
			return malformed("crlExtensions")
		}
		seen[oid.String()] = true
		switch {
		case oid.Equal(oidNumber):
			l.Number, ok = readNumber(value)
		case oid.Equal(oidDelta):
			l.Base, ok = readNumber(value)
		case oid.Equal(oidPoint):
			l.PointNamed, l.scope = true, value
			l.Points, ok = readPoint(value)
		case oid.Equal(oidFreshest):
			l.Freshest, ok = readFreshest(value)
		case oid.Equal(oidAuthority):
			l.authority, ok = value, !critical
		default:
			ok = !critical
		}
		if !ok {
			return malformed("extension " + oid.String())
		}
	}
	switch {
	case l.Number == nil:
		return malformed("CRLNumber absent")
	case l.Base != nil && l.Freshest != nil:
		return malformed("freshestCRL in a delta")
	case l.Base != nil && l.Base.Cmp(l.Number) > 0:
		return malformed("a delta older than its base")
	}
	return nil
}

// readPoint reads IssuingDistributionPoint (§5.2.5) and returns its addresses. The
// scope may be narrowed to a distribution point or to end-entity certificates, and in
// no other way.
func readPoint(value cryptobyte.String) ([]string, bool) {
	var point, yes cryptobyte.String
	var has bool
	if !value.ReadASN1(&point, cbasn1.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	addresses, ok := readPointName(&point)
	if !ok || !point.ReadOptionalASN1(&yes, &has, cbasn1.Tag(1).ContextSpecific()) { // onlyContainsUserCerts
		return nil, false
	}
	return addresses, point.Empty() && (!has || bytes.Equal(yes, []byte{0xFF}))
}

// readPointName reads an optional DistributionPointName of the form fullName and
// returns the URIs in it.
func readPointName(in *cryptobyte.String) (addresses []string, ok bool) {
	var name, full cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&name, &has, context(0)) || !has {
		return nil, !has
	}
	if !name.ReadASN1(&full, context(0)) || !name.Empty() || full.Empty() {
		return nil, false
	}
	for !full.Empty() {
		var general cryptobyte.String
		var tag cbasn1.Tag
		if !full.ReadAnyASN1(&general, &tag) {
			return nil, false
		}
		if tag == cbasn1.Tag(6).ContextSpecific() {
			addresses = append(addresses, string(general))
		}
	}
	return addresses, true
}

// readFreshest reads FreshestCRL (§5.2.6) and returns the addresses of the points that
// tell everything: one for some reasons only, or of another issuer's list, is passed over.
func readFreshest(value cryptobyte.String) ([]string, bool) {
	var points, point cryptobyte.String
	out := []string{}
	if !value.ReadASN1(&points, cbasn1.SEQUENCE) || !value.Empty() || points.Empty() {
		return nil, false
	}
	for !points.Empty() {
		if !points.ReadASN1(&point, cbasn1.SEQUENCE) {
			return nil, false
		}
		addresses, ok := readPointName(&point)
		if !ok {
			return nil, false
		}
		if point.Empty() {
			out = append(out, addresses...)
		}
	}
	return out, true
}
