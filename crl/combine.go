package crl

import (
	"bytes"

	"warifu"
)

// Combined is a full list with a delta applied to it (RFC 5280 §5.2.4): what the
// authority said at the delta's thisUpdate.
type Combined struct {
	Full  *List
	Delta *List
}

// Combine applies a delta to a full list. They must be one authority's, of one scope,
// and the delta must begin no later than the full list and be newer: its base's number
// is at most the full list's, and its own is greater. Whoever holds a full list that is
// as new as the delta needs no delta. Both must have been verified against the same
// issuer. Errors: Refused "crl-is-delta" for a delta in the full list's place,
// "crl-not-delta" for a full list in the delta's, "crl-delta-mismatch".
func Combine(full, delta *List) (*Combined, error) {
	mismatch := func(why string) error { return warifu.Refused("crl-delta-mismatch", "why", why) }
	switch {
	case full.Base != nil:
		return nil, warifu.Refused("crl-is-delta")
	case delta.Base == nil:
		return nil, warifu.Refused("crl-not-delta")
	case !bytes.Equal(full.issuer, delta.issuer) || !bytes.Equal(full.authority, delta.authority):
		return nil, mismatch("another authority")
	case full.PointNamed != delta.PointNamed || !bytes.Equal(full.scope, delta.scope):
		return nil, mismatch("another scope")
	case delta.Base.Cmp(full.Number) > 0:
		return nil, mismatch("its base is a later list")
	case delta.Number.Cmp(full.Number) <= 0:
		return nil, mismatch("not newer than the list")
	}
	return &Combined{full, delta}, nil
}

// Lookup is List.Lookup in a full list: the delta's word, and where it has none the
// full list's. What the delta takes away is not listed.
func (c *Combined) Lookup(serial []byte) (warifu.Status, bool) {
	if status, listed := c.Delta.Lookup(serial); listed {
		if status.Cert == warifu.StatusGood {
			return warifu.Status{}, false
		}
		return status, true
	}
	return c.Full.Lookup(serial)
}

// Each calls f with every certificate that is revoked or held then, in order of serial
// number, until f returns false. Serial is shared with the lists; Kind is not set.
func (c *Combined) Each(f func(warifu.StatusRecord) bool) {
	a, b := c.Full.index, c.Delta.index
	for len(a)+len(b) > 0 {
		order := -1
		switch {
		case len(a) == 0:
			order = 1
		case len(b) > 0:
			order = compareSerials(c.Full.serialAt(a[0]), c.Delta.serialAt(b[0]))
		}
		record := warifu.StatusRecord{}
		if order < 0 {
			record = c.Full.recordAt(a[0])
		} else {
			record = c.Delta.recordAt(b[0])
			b = b[1:]
		}
		if order <= 0 {
			a = a[1:]
		}
		if record.Status.Cert == warifu.StatusRevoked && !f(record) {
			return
		}
	}
}
