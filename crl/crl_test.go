package crl_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
)

var now = time.Date(2026, 4, 1, 9, 30, 0, 0, time.UTC)

type authority struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

var rsaAuthority = sync.OnceValue(func() authority {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return newAuthority(key, err)
})

var p256Authority = sync.OnceValue(func() authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return newAuthority(key, err)
})

func newAuthority(key crypto.Signer, err error) authority {
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"JP"}, Organization: []string{"WARIFU-TEST"}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return authority{key, c}
}

var head = crl.Head{Number: 7, ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}

func revoked(reason warifu.Reason, serial ...byte) warifu.StatusRecord {
	return warifu.StatusRecord{Serial: serial, Status: warifu.Status{Cert: warifu.StatusRevoked, Reason: reason, RevokedAt: now.Add(-time.Hour)}}
}

func of(records ...warifu.StatusRecord) crl.Records {
	return func(add func(warifu.StatusRecord) error) error {
		for _, r := range records {
			if err := add(r); err != nil {
				return err
			}
		}
		return nil
	}
}

func write(t testing.TB, a authority, h crl.Head, records crl.Records) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := crl.Write(&out, h, records, a.certificate, a.key); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func parse(t testing.TB, der []byte) *crl.List {
	t.Helper()
	l, err := crl.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func problem(slug string) error { return &warifu.Error{Problem: slug} }

var three = of(
	revoked(warifu.ReasonSuperseded, 0x7F, 1, 2),
	revoked(warifu.ReasonUnspecified, 5),
	revoked(warifu.ReasonCertificateHold, 0x80, 0, 1),
)

func TestAListReadsBack(t *testing.T) {
	for name, a := range map[string]func() authority{"rsa": rsaAuthority, "p-256": p256Authority} {
		l := parse(t, write(t, a(), head, three))
		if err := l.Verify(a().certificate, now); err != nil {
			t.Fatal(name, err)
		}
		if l.Len() != 3 || l.Number.Int64() != 7 || l.Base != nil || !l.ThisUpdate.Equal(now) || !l.NextUpdate.Equal(now.Add(24*time.Hour)) {
			t.Errorf("%s: %+v", name, l)
		}
		for serial, reason := range map[string]warifu.Reason{"\x7f\x01\x02": 4, "\x05": 0, "\x00\x05": 0, "\x80\x00\x01": 6} {
			s, ok := l.Lookup([]byte(serial))
			if !ok || s.Cert != warifu.StatusRevoked || s.Reason != reason || !s.RevokedAt.Equal(now.Add(-time.Hour)) {
				t.Errorf("%s %x: %v %+v", name, serial, ok, s)
			}
		}
		for _, serial := range []string{"", "\x06", "\x05\x00", "\x7f\x01\x03"} {
			if s, ok := l.Lookup([]byte(serial)); ok {
				t.Errorf("%s %x: %+v", name, serial, s)
			}
		}
	}
}

func TestAListOfNothingIsAList(t *testing.T) {
	a := p256Authority()
	l := parse(t, write(t, a, head, crl.None))
	if l.Len() != 0 || l.Verify(a.certificate, now) != nil {
		t.Errorf("%+v", l)
	}
}

func TestTheStandardLibraryReadsOurLists(t *testing.T) {
	for name, a := range map[string]func() authority{"rsa": rsaAuthority, "p-256": p256Authority} {
		l, err := x509.ParseRevocationList(write(t, a(), head, three))
		if err != nil {
			t.Fatal(name, err)
		}
		if err := l.CheckSignatureFrom(a().certificate); err != nil {
			t.Error(name, err)
		}
		if len(l.RevokedCertificateEntries) != 3 || l.Number.Int64() != 7 || !bytes.Equal(l.AuthorityKeyId, a().certificate.SubjectKeyId) {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

func TestWeReadTheStandardLibrarysLists(t *testing.T) {
	a := rsaAuthority()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(300), ThisUpdate: now, NextUpdate: now.AddDate(30, 0, 0),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(0x1234), RevocationTime: now, ReasonCode: 1}},
	}, a.certificate, a.key)
	if err != nil {
		t.Fatal(err)
	}
	l := parse(t, der)
	if s, ok := l.Lookup([]byte{0x12, 0x34}); !ok || s.Reason != warifu.ReasonKeyCompromise || l.Verify(a.certificate, now) != nil {
		t.Errorf("%+v", s)
	}
}

func TestADeltaSaysSoAndTakesEntriesAway(t *testing.T) {
	a := p256Authority()
	h := head
	h.Base, h.Point = 5, "http://127.0.0.1:8400/crl/signature.crl"
	back := warifu.StatusRecord{Serial: []byte{9}, Status: warifu.Status{Cert: warifu.StatusGood}}
	l := parse(t, write(t, a, h, of(revoked(warifu.ReasonKeyCompromise, 8), back)))
	if l.Base == nil || l.Base.Int64() != 5 || len(l.Points) != 1 || l.Points[0] != h.Point || !l.PointNamed {
		t.Errorf("%+v", l)
	}
	if s, ok := l.Lookup([]byte{9}); !ok || s.Cert != warifu.StatusGood {
		t.Errorf("%v %+v", ok, s)
	}
}

func TestWhatIsNotForAListIsRefusedWhenWriting(t *testing.T) {
	a := p256Authority()
	goodRecord := warifu.StatusRecord{Serial: []byte{1}, Status: warifu.Status{Cert: warifu.StatusGood}}
	long := revoked(warifu.ReasonSuperseded, make([]byte, 21)...)
	for name, r := range map[string]warifu.StatusRecord{
		"good": goodRecord, "unknown": {Serial: []byte{1}}, "no serial": revoked(4), "long serial": long,
		"reason 7": revoked(7, 1), "removeFromCRL": revoked(warifu.ReasonRemoveFromCRL, 1),
	} {
		if err := crl.Write(&bytes.Buffer{}, head, of(r), a.certificate, a.key); err == nil {
			t.Error(name)
		}
	}
	for name, h := range map[string]crl.Head{
		"no number": {ThisUpdate: now, NextUpdate: now.Add(1)}, "backwards": {Number: 1, ThisUpdate: now, NextUpdate: now},
		"base ahead": {Number: 1, Base: 1, ThisUpdate: now, NextUpdate: now.Add(time.Hour)},
	} {
		if err := crl.Write(&bytes.Buffer{}, h, crl.None, a.certificate, a.key); err == nil {
			t.Error(name)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	a, b := rsaAuthority(), p256Authority() // of one name: the signature alone tells them apart
	l := parse(t, write(t, a, head, three))
	if err := l.Verify(b.certificate, now); !errors.Is(err, problem("crl-signature")) {
		t.Error("another authority of the same name:", err)
	}
	if err := l.Verify(a.certificate, now.Add(24*time.Hour+time.Second)); !errors.Is(err, problem("crl-stale")) {
		t.Error("stale:", err)
	}
	if err := l.Verify(a.certificate, now.Add(-time.Hour)); !errors.Is(err, problem("crl-future")) {
		t.Error("future:", err)
	}
	leaf := *a.certificate
	leaf.IsCA = false
	if err := l.Verify(&leaf, now); !errors.Is(err, problem("crl-issuer-mismatch")) {
		t.Error("no authority:", err)
	}
}

func TestEveryFlippedOctetIsNoticed(t *testing.T) {
	a := p256Authority()
	der := write(t, a, head, three)
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 0x01
		l, err := crl.Parse(bad)
		if err == nil && l.Verify(a.certificate, now) == nil {
			t.Fatalf("octet %d", i)
		}
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	der := write(t, p256Authority(), head, three)
	for i := range der {
		if _, err := crl.Parse(der[:i]); !errors.Is(err, problem("crl-malformed")) {
			t.Fatalf("%d octets: %v", i, err)
		}
	}
	if _, err := crl.Parse(append(bytes.Clone(der), 0)); err == nil {
		t.Error("trailing octet")
	}
}

func TestASerialNumberStandsOnce(t *testing.T) {
	der := write(t, p256Authority(), head, of(revoked(4, 1, 2), revoked(6, 1, 2)))
	if _, err := crl.Parse(der); !errors.Is(err, problem("crl-malformed")) {
		t.Error(err)
	}
}

func TestAHundredThousandEntriesAreFound(t *testing.T) {
	a := p256Authority()
	serial := func(i uint32) []byte {
		return binary.BigEndian.AppendUint32([]byte{1, 2, 3}, i*2654435761)
	}
	const n = 100_000
	l := parse(t, write(t, a, head, func(add func(warifu.StatusRecord) error) error {
		for i := range uint32(n) {
			if err := add(revoked(warifu.ReasonSuperseded, serial(i)...)); err != nil {
				return err
			}
		}
		return nil
	}))
	if l.Len() != n {
		t.Fatal(l.Len())
	}
	for i := range uint32(n) {
		if _, ok := l.Lookup(serial(i)); !ok {
			t.Fatal(i)
		}
	}
	if _, ok := l.Lookup(serial(n)); ok {
		t.Error("one too many")
	}
}

func FuzzParse(f *testing.F) {
	a := p256Authority()
	f.Add(write(f, a, head, three))
	f.Add(write(f, a, head, crl.None))
	delta := head
	delta.Base, delta.Point = 3, "http://127.0.0.1/x.crl"
	f.Add(write(f, a, delta, three))
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := crl.Parse(der)
		if err != nil {
			return
		}
		n := 0
		l.Each(func(r warifu.StatusRecord) bool {
			n++
			s, ok := l.Lookup(r.Serial)
			if !ok || s.Cert != r.Status.Cert {
				t.Errorf("%x is in the list and is not found", r.Serial)
			}
			return n < 1000
		})
	})
}
