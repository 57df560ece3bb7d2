package crl_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
)

var (
	oidPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidDelta = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidOther = asn1.ObjectIdentifier{1, 2, 3, 4}
)

// listed makes a list with the standard library, with extensions of the test's own.
func listed(t *testing.T, list, entry []pkix.Extension) []byte {
	t.Helper()
	a := p256Authority()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(3), ThisUpdate: now, NextUpdate: now.Add(time.Hour), ExtraExtensions: list,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(5), RevocationTime: now, ExtraExtensions: entry}},
	}, a.certificate, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestListsOfAScopeNotUnderstoodAreRefused(t *testing.T) {
	point := func(value ...byte) []pkix.Extension {
		return []pkix.Extension{{Id: oidPoint, Critical: true, Value: value}}
	}
	cases := map[string]struct {
		list, entry []pkix.Extension
	}{
		"indirect":                {point(0x30, 3, 0x84, 1, 0xFF), nil},
		"some reasons only":       {point(0x30, 4, 0x83, 2, 7, 0x80), nil},
		"authorities only":        {point(0x30, 3, 0x82, 1, 0xFF), nil},
		"attributes only":         {point(0x30, 3, 0x85, 1, 0xFF), nil},
		"point malformed":         {point(0x30, 2, 0xA0, 0), nil},
		"FALSE written out":       {point(0x30, 3, 0x81, 1, 0), nil},
		"unknown critical":        {[]pkix.Extension{{Id: oidOther, Critical: true, Value: []byte{5, 0}}}, nil},
		"delta of no number":      {[]pkix.Extension{{Id: oidDelta, Critical: true, Value: []byte{5, 0}}}, nil},
		"unknown critical, entry": {nil, []pkix.Extension{{Id: oidOther, Critical: true, Value: []byte{5, 0}}}},
	}
	for name, c := range cases {
		if _, err := crl.Parse(listed(t, c.list, c.entry)); !errors.Is(err, problem("crl-malformed")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReasonsThatAreNoneAreRefused(t *testing.T) {
	der := write(t, p256Authority(), head, of(revoked(warifu.ReasonKeyCompromise, 5)))
	at := bytes.Index(der, []byte{0x55, 0x1D, 0x15, 0x04, 0x03, 0x0A, 0x01, 0x01}) + 7
	for _, reason := range []byte{7, 8, 11, 0xFF} { // 8 takes from a base, and this is no delta
		der[at] = reason
		if _, err := crl.Parse(der); !errors.Is(err, problem("crl-malformed")) {
			t.Errorf("%d: %v", reason, err)
		}
	}
}

func TestListsOfAScopeUnderstoodAreRead(t *testing.T) {
	directory := []byte{0x30, 0x0A, 0xA0, 0x08, 0xA0, 0x06, 0xA4, 0x04, 0x30, 0x02, 0x31, 0x00}
	directory[1], directory[3], directory[5], directory[7] = 10, 8, 6, 4
	cases := map[string]struct {
		list, entry []pkix.Extension
		named       bool
	}{
		"end entities only":     {[]pkix.Extension{{Id: oidPoint, Critical: true, Value: []byte{0x30, 3, 0x81, 1, 0xFF}}}, nil, true},
		"a directory name":      {[]pkix.Extension{{Id: oidPoint, Critical: true, Value: directory}}, nil, true},
		"unknown, not critical": {[]pkix.Extension{{Id: oidOther, Value: []byte{5, 0}}}, []pkix.Extension{{Id: oidOther, Value: []byte{5, 0}}}, false},
	}
	for name, c := range cases {
		l, err := crl.Parse(listed(t, c.list, c.entry))
		if err != nil || l.PointNamed != c.named || len(l.Points) != 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s, ok := l.Lookup([]byte{5}); !ok || s.Cert != warifu.StatusRevoked {
			t.Errorf("%s: %v", name, s)
		}
	}
}

func TestAListIsBounded(t *testing.T) {
	if _, err := crl.Parse(make([]byte, crl.MaxList+1)); !errors.Is(err, problem("crl-too-large")) {
		t.Error(err)
	}
}

func TestAnErrorOfTheSourceMakesNoList(t *testing.T) {
	a := p256Authority()
	down := errors.New("down")
	var w counting
	err := crl.Write(&w, head, func(add func(warifu.StatusRecord) error) error {
		if err := add(revoked(warifu.ReasonSuperseded, 1)); err != nil {
			return err
		}
		return down
	}, a.certificate, a.key)
	if !errors.Is(err, down) || w != 0 {
		t.Errorf("%v, %d octets written", err, w)
	}
}

type counting int

func (c *counting) Write(b []byte) (int, error) { *c += counting(len(b)); return len(b), nil }
