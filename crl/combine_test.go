package crl_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/crl"
)

const freshest = "http://127.0.0.1:8400/crl/signature-delta.crl"

func good(serial ...byte) warifu.StatusRecord {
	return warifu.StatusRecord{Serial: serial, Status: warifu.Status{Cert: warifu.StatusGood}}
}

func deltaHead(number, base uint64) crl.Head {
	return crl.Head{Number: number, Base: base, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}
}

func TestAFullListSaysWhereItsDeltasAre(t *testing.T) {
	h := head
	h.Freshest = freshest
	l := parse(t, write(t, p256Authority(), h, three))
	if len(l.Freshest) != 1 || l.Freshest[0] != freshest || l.PointNamed {
		t.Errorf("%+v", l)
	}
	h.Base = 1
	if err := crl.Write(&bytes.Buffer{}, h, crl.None, p256Authority().certificate, p256Authority().key); err == nil {
		t.Error("a delta with freshestCRL was written")
	}
}

func TestADeltaChangesWhatItNames(t *testing.T) {
	a := p256Authority()
	full := parse(t, write(t, a, head, three)) // 7F0102 superseded, 05 unspecified, 800001 held
	delta := parse(t, write(t, a, deltaHead(9, 7), of(good(0x80, 0, 1), revoked(warifu.ReasonCertificateHold, 6), revoked(warifu.ReasonKeyCompromise, 5), good(0x33))))
	c, err := crl.Combine(full, delta)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]warifu.Reason{"\x05": 1, "\x06": 6, "\x7f\x01\x02": 4}
	for _, serial := range []string{"\x05", "\x06", "\x7f\x01\x02", "\x80\x00\x01", "\x33", "\x07"} {
		s, listed := c.Lookup([]byte(serial))
		if reason, ok := want[serial]; ok != listed || (ok && (s.Reason != reason || s.Cert != warifu.StatusRevoked)) {
			t.Errorf("%x: %v %+v", serial, listed, s)
		}
	}
	var order []string
	c.Each(func(r warifu.StatusRecord) bool { order = append(order, string(r.Serial)); return true })
	if len(order) != 3 || order[0] != "\x05" || order[1] != "\x06" || order[2] != "\x7f\x01\x02" {
		t.Errorf("%x", order)
	}
	c.Each(func(r warifu.StatusRecord) bool { order = order[1:]; return false })
	if len(order) != 2 {
		t.Error("went on after false")
	}
}

func TestOnlyADeltaOnThisListIsAppliedToIt(t *testing.T) {
	a := p256Authority()
	scoped := deltaHead(9, 7)
	scoped.Point = "http://127.0.0.1:8400/crl/signature/3.crl"
	full, younger := head, head
	younger.Number = 8
	list := func(h crl.Head) *crl.List { return parse(t, write(t, a, h, three)) }
	other := parse(t, write(t, rsaAuthority(), deltaHead(9, 7), three)) // of the same name, another key
	for name, c := range map[string]struct {
		full, delta *crl.List
		problem     string
	}{
		"its own base":                {list(full), list(deltaHead(9, 7)), ""},
		"a list after the base":       {list(younger), list(deltaHead(9, 7)), ""},
		"a delta as base":             {list(deltaHead(9, 7)), list(deltaHead(9, 7)), "crl-is-delta"},
		"a base as delta":             {list(full), list(younger), "crl-not-delta"},
		"a delta of a later base":     {list(full), list(deltaHead(9, 8)), "crl-delta-mismatch"},
		"a list as new as the delta":  {list(younger), list(deltaHead(8, 7)), "crl-delta-mismatch"},
		"a list newer than the delta": {list(younger), list(deltaHead(7, 6)), "crl-delta-mismatch"},
		"of another scope":            {list(full), list(scoped), "crl-delta-mismatch"},
		"of another key":              {list(full), other, "crl-delta-mismatch"},
	} {
		_, err := crl.Combine(c.full, c.delta)
		if (c.problem == "") != (err == nil) || (err != nil && !errors.Is(err, problem(c.problem))) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRemovalIsReadWhereverItStandsAmongTheExtensions holds that an invalidityDate, which
// may stand first, hides no removeFromCRL.
func TestRemovalIsReadWhereverItStandsAmongTheExtensions(t *testing.T) {
	invalidity := append([]byte{0x30, 24, 6, 3, 0x55, 0x1D, 0x18, 4, 17, 0x18, 15}, "20260401000000Z"...)
	reason := []byte{0x30, 10, 6, 3, 0x55, 0x1D, 0x15, 4, 3, 0x0A, 1, 8}
	a := p256Authority()
	der := func(list []pkix.Extension) []byte {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(3), ThisUpdate: now, NextUpdate: now.Add(time.Hour), ExtraExtensions: list,
			RevokedCertificateEntries: []x509.RevocationListEntry{{
				SerialNumber: big.NewInt(5), RevocationTime: now, ReasonCode: 8,
				ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: invalidity[9:]}},
			}},
		}, a.certificate, a.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	one, two := append(bytes.Clone(reason), invalidity...), append(bytes.Clone(invalidity), reason...)
	for _, form := range [][]byte{one, two} {
		delta := bytes.Replace(der([]pkix.Extension{{Id: oidDelta, Critical: true, Value: []byte{2, 1, 1}}}), two, form, 1)
		if !bytes.Contains(delta, form) {
			t.Fatal("the extensions are not where the test looks for them")
		}
		if s, ok := parse(t, delta).Lookup([]byte{5}); !ok || s.Cert != warifu.StatusGood {
			t.Errorf("%x: %v %+v", form, ok, s)
		}
		if _, err := crl.Parse(bytes.Replace(der(nil), two, form, 1)); !errors.Is(err, problem("crl-malformed")) {
			t.Errorf("%x, in a full list: %v", form, err)
		}
	}
}

func TestFreshestPointsAreReadStrictly(t *testing.T) {
	oidFreshest := asn1.ObjectIdentifier{2, 5, 29, 46}
	uri := []byte{0xA0, 5, 0xA0, 3, 0x86, 1, 'x'}
	point := func(extra ...byte) []byte {
		inner := append(bytes.Clone(uri), extra...)
		outer := append([]byte{0x30, byte(len(inner))}, inner...)
		return append([]byte{0x30, byte(len(outer))}, outer...)
	}
	read := func(value []byte) (*crl.List, error) {
		return crl.Parse(listed(t, []pkix.Extension{{Id: oidFreshest, Value: value}}, nil))
	}
	if l, err := read(point()); err != nil || len(l.Freshest) != 1 || l.Freshest[0] != "x" {
		t.Error(err)
	}
	if l, err := read(point(0x81, 2, 7, 0x80)); err != nil || len(l.Freshest) != 0 {
		t.Error("a point for some reasons only was taken for one that tells all:", err)
	}
	for name, value := range map[string][]byte{"no points": {0x30, 0}, "no sequence": {5, 0}, "more after it": append(point(), 5, 0), "name malformed": {0x30, 4, 0x30, 2, 0xA0, 0}} {
		if _, err := read(value); !errors.Is(err, problem("crl-malformed")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	both := []pkix.Extension{{Id: oidFreshest, Value: point()}, {Id: oidDelta, Critical: true, Value: []byte{2, 1, 1}}}
	if _, err := crl.Parse(listed(t, both, nil)); !errors.Is(err, problem("crl-malformed")) {
		t.Error("freshestCRL in a delta:", err)
	}
}

// TestAnyChangeIsAppliedAsAModelAppliesIt makes any full list and any delta on it.
func TestAnyChangeIsAppliedAsAModelAppliesIt(t *testing.T) {
	a := p256Authority()
	reasons := []warifu.Reason{0, 1, 4, 6}
	draw := func(r *rapid.T, name string, kinds []int) map[uint16]warifu.StatusRecord {
		out := map[uint16]warifu.StatusRecord{}
		for n, k := range rapid.MapOf(rapid.Uint16Range(1, 400), rapid.SampledFrom(kinds)).Draw(r, name) {
			serial := bytes.TrimLeft(binary.BigEndian.AppendUint16(nil, n), "\x00")
			if out[n] = good(serial...); k >= 0 {
				out[n] = revoked(reasons[k], serial...)
			}
		}
		return out
	}
	stream := func(m map[uint16]warifu.StatusRecord) crl.Records {
		return func(add func(warifu.StatusRecord) error) error {
			for _, r := range m {
				if err := add(r); err != nil {
					return err
				}
			}
			return nil
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		base, change := draw(r, "base", []int{0, 1, 2, 3}), draw(r, "delta", []int{-1, 0, 1, 2, 3})
		c, err := crl.Combine(parse(t, write(t, a, head, stream(base))), parse(t, write(t, a, deltaHead(8, 7), stream(change))))
		if err != nil {
			r.Fatal(err)
		}
		for n, s := range change {
			base[n] = s
		}
		left := map[uint16]warifu.StatusRecord{}
		for n, s := range base {
			if s.Status.Cert == warifu.StatusRevoked {
				left[n] = s
			}
			status, listed := c.Lookup(s.Serial)
			if listed != (s.Status.Cert == warifu.StatusRevoked) || status.Reason != s.Status.Reason {
				r.Fatalf("%d: %v %+v, want %+v", n, listed, status, s.Status)
			}
		}
		c.Each(func(s warifu.StatusRecord) bool {
			n := binary.BigEndian.Uint16(append(make([]byte, 2-len(s.Serial)), s.Serial...))
			if left[n].Status != s.Status {
				r.Fatalf("%d: %+v, want %+v", n, s.Status, left[n].Status)
			}
			delete(left, n)
			return true
		})
		if len(left) != 0 {
			r.Fatalf("%d entries were not handed out", len(left))
		}
	})
}

// FuzzCombine holds that no two lists make the reader fail, and that what it says by
// serial number and in order is the same.
func FuzzCombine(f *testing.F) {
	a := p256Authority()
	f.Add(write(f, a, head, three), write(f, a, deltaHead(9, 7), of(good(0x80, 0, 1), revoked(1, 5))))
	f.Add(write(f, a, head, crl.None), write(f, a, deltaHead(8, 7), crl.None))
	f.Fuzz(func(t *testing.T, full, delta []byte) {
		l, err := crl.Parse(full)
		if err != nil {
			return
		}
		d, err := crl.Parse(delta)
		if err != nil {
			return
		}
		c, err := crl.Combine(l, d)
		if err != nil {
			return
		}
		n := 0
		c.Each(func(r warifu.StatusRecord) bool {
			n++
			if s, listed := c.Lookup(r.Serial); !listed || s != r.Status {
				t.Errorf("%x: %v %+v, want %+v", r.Serial, listed, s, r.Status)
			}
			return n < 1000
		})
	})
}
