package crl

import (
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

func readSerial(entry *cryptobyte.String) ([]byte, bool) {
	var element, content cryptobyte.String
	if !entry.ReadASN1Element(&element, cbasn1.INTEGER) || !element.ReadASN1(&content, cbasn1.INTEGER) || len(content) == 0 {
		return nil, false
	}
	if content[0] == 0 && len(content) > 1 {
		if content[1]&0x80 == 0 { // not the shortest form
			return nil, false
		}
		return content[1:], len(content) <= maxSerial+1
	}
	return content, content[0]&0x80 == 0 && content[0] != 0 && len(content) <= maxSerial
}

// readEntry reads one entry of revokedCertificates (§5.3). removeFromCRL makes it
// good, and stands in a delta only.
func readEntry(list *cryptobyte.String, delta bool) (record warifu.StatusRecord, ok bool) {
	var entry cryptobyte.String
	if !list.ReadASN1(&entry, cbasn1.SEQUENCE) {
		return record, false
	}
	if record.Serial, ok = readSerial(&entry); !ok || !readTime(&entry, &record.Status.RevokedAt) {
		return record, false
	}
	record.Status.Cert = warifu.StatusRevoked
	if !entry.Empty() {
		record.Status.Reason, ok = readEntryExtensions(entry)
	}
	if record.Status.Reason == warifu.ReasonRemoveFromCRL {
		record.Status = warifu.Status{Cert: warifu.StatusGood}
		ok = ok && delta
	}
	return record, ok
}

func readEntryExtensions(entry cryptobyte.String) (reason warifu.Reason, ok bool) {
	var extensions cryptobyte.String
	if !entry.ReadASN1(&extensions, cbasn1.SEQUENCE) || !entry.Empty() || extensions.Empty() {
		return 0, false
	}
	seen := false
	for !extensions.Empty() {
		oid, critical, value, ok := readExtension(&extensions)
		if ok && oid.Equal(oidReason) {
			ok, critical = !seen, false
			reason, seen = readReason(value)
			ok = ok && seen
		}
		if !ok || critical {
			return 0, false
		}
	}
	return reason, true
}

func readReason(value cryptobyte.String) (warifu.Reason, bool) {
	var n int
	if !value.ReadASN1Enum(&n) || !value.Empty() || n < 0 || n > int(warifu.ReasonAACompromise) {
		return 0, false
	}
	r := warifu.Reason(n) //nolint:gosec // bounded above
	return r, r.Valid()
}

func readNumber(value cryptobyte.String) (*big.Int, bool) {
	n := new(big.Int)
	ok := value.ReadASN1Integer(n) && value.Empty() && n.Sign() >= 0 && len(n.Bytes()) <= maxSerial
	return n, ok
}

func readExtension(list *cryptobyte.String) (oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String, ok bool) {
	var body cryptobyte.String
	if !list.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&oid) {
		return nil, false, nil, false
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&critical) {
		return nil, false, nil, false
	}
	ok = body.ReadASN1(&value, cbasn1.OCTET_STRING) && body.Empty()
	return oid, critical, value, ok
}

// readTime reads UTCTime through 2049 and GeneralizedTime beyond, in Z, to the second.
func readTime(in *cryptobyte.String, t *time.Time) bool {
	if !in.PeekASN1Tag(cbasn1.UTCTime) {
		return readGeneralizedTime(in, t) && (t.Year() < 1950 || t.Year() >= 2050)
	}
	var element cryptobyte.String
	const length = 2 + len("YYMMDDHHMMSSZ")
	return in.ReadASN1Element(&element, cbasn1.UTCTime) && len(element) == length && element[length-1] == 'Z' && element.ReadASN1UTCTime(t)
}

func readGeneralizedTime(in *cryptobyte.String, t *time.Time) bool {
	var element cryptobyte.String
	const length = 2 + len("YYYYMMDDHHMMSSZ")
	return in.ReadASN1Element(&element, cbasn1.GeneralizedTime) && len(element) == length && element[length-1] == 'Z' && element.ReadASN1GeneralizedTime(t)
}

func readAlgorithm(in *cryptobyte.String) (asn1.ObjectIdentifier, bool) {
	var body, null cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&oid) {
		return nil, false
	}
	return oid, body.Empty() || (body.ReadASN1(&null, cbasn1.NULL) && null.Empty() && body.Empty())
}
