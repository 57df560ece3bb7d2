package offline_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/offline"
)

var now = time.Date(2026, 6, 10, 3, 0, 0, 0, time.UTC)

// house is an authority with a responder it appointed.
type house struct {
	issuer, responder *x509.Certificate
	key               *ecdsa.PrivateKey
}

func newHouse(t testing.TB) house {
	t.Helper()
	caKey, responderKey := newKey(t), newKey(t)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	issuer := issue(t, ca, ca, caKey, caKey)
	responder := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "responder"}, NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 0, 9),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: ocsp.OIDNoCheck, Value: asn1.NullBytes}},
	}, issuer, responderKey, caKey)
	return house{issuer, responder, responderKey}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issue(t testing.TB, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// certificate is one as a verifier holds it: the pack looks at no more.
func certificate(serial int64, notBefore time.Time) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: notBefore, NotAfter: notBefore.AddDate(5, 0, 0)}
}

func (h house) keys(serials ...int64) (out []offline.Key) {
	k := offline.NewKeyer(h.issuer)
	for _, s := range serials {
		out = append(out, k.Key(big.NewInt(s).Bytes()))
	}
	return out
}

// pack has certificates 1–4 issued by now: 1 revoked, 2 held, 3 not in use, 4 good.
func (h house) pack(t testing.TB) *offline.Pack {
	t.Helper()
	f, ok := offline.Build(h.keys(1), slices.Values(h.keys(2, 3, 4)))
	if !ok {
		t.Fatal("no filter")
	}
	p := &offline.Pack{
		Number: 7, ProducedAt: now, CoveredTo: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour), Filter: f,
		Held: offline.ListOf(h.keys(2)), Unused: offline.ListOf(h.keys(3)),
	}
	p.Issuer = offline.NewKeyer(h.issuer).Issuer()
	return p
}

func (h house) signed(t testing.TB, p *offline.Pack) *offline.SignedPack {
	t.Helper()
	der, err := offline.Sign(p, h.responder, h.key)
	if err != nil {
		t.Fatal(err)
	}
	read, err := offline.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestPackAnswersForWhatItCoversAndNothingElse(t *testing.T) {
	h := newHouse(t)
	p := h.signed(t, h.pack(t))
	if err := p.Verify(h.issuer, now); err != nil {
		t.Fatal(err)
	}
	before := now.Add(-time.Hour)
	for serial, want := range map[int64]warifu.Status{
		1: {Cert: warifu.StatusRevoked}, 2: {Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold}, 3: {}, 4: {Cert: warifu.StatusGood},
	} {
		if got := p.Status(nil, certificate(serial, before)); got != want {
			t.Errorf("certificate %d: %+v, want %+v", serial, got, want)
		}
	}
	if got := p.Status(nil, certificate(4, now)); got.Cert != warifu.StatusUnknown {
		t.Errorf("a certificate younger than the pack covers: %+v", got)
	}
	if got := p.Status(nil, certificate(4, now.AddDate(-6, 0, 0))); got.Cert != warifu.StatusUnknown {
		t.Errorf("a certificate that had expired: %+v", got)
	}
}

func TestDeltaIsReadOnItsBaseAlone(t *testing.T) {
	h := newHouse(t)
	base := h.signed(t, h.pack(t))
	later := now.Add(time.Hour)
	f, _ := offline.Build(h.keys(4, 6), slices.Values(h.keys(2, 3, 5))) // 5 and 6 are new, 4 and 6 revoked since
	delta := h.signed(t, &offline.Pack{
		Issuer: base.Issuer, Number: 9, Base: 7, ProducedAt: later, CoveredTo: later.Add(-time.Minute), NextUpdate: later.Add(time.Hour), Filter: f,
	})
	want := map[int64]warifu.CertStatus{1: warifu.StatusRevoked, 2: warifu.StatusGood, 3: warifu.StatusGood, 4: warifu.StatusRevoked, 5: warifu.StatusGood, 6: warifu.StatusRevoked}
	for serial, status := range want {
		notBefore := now.Add(-time.Hour)
		if serial > 4 {
			notBefore = now.Add(10 * time.Minute)
		}
		if got := delta.Status(&base.Pack, certificate(serial, notBefore)); got.Cert != status {
			t.Errorf("certificate %d: %v, want %v", serial, got.Cert, status)
		}
		if got := delta.Status(nil, certificate(serial, notBefore)); got.Cert != warifu.StatusUnknown {
			t.Errorf("certificate %d by a delta without its base: %v", serial, got.Cert)
		}
		if got := delta.Status(&delta.Pack, certificate(serial, notBefore)); got.Cert != warifu.StatusUnknown {
			t.Errorf("certificate %d by a delta taken for a base: %v", serial, got.Cert)
		}
	}
}

func TestPackIsBelievedFromItsAuthorityAlone(t *testing.T) {
	h, other := newHouse(t), newHouse(t)
	p := h.signed(t, h.pack(t))
	for what, c := range map[string]struct {
		issuer *x509.Certificate
		at     time.Time
		want   string
	}{
		"another authority":       {other.issuer, now, "offline-pack-mismatch"},
		"made in the future":      {h.issuer, now.Add(-time.Hour), "offline-pack-future"},
		"a responder that is old": {h.issuer, now.AddDate(0, 1, 0), "status-responder-unauthorized"},
	} {
		if err := p.Verify(c.issuer, c.at); warifu.ProblemOf(err).Problem != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	foreign := h.pack(t)
	der, err := offline.Sign(foreign, other.responder, other.key)
	if err != nil {
		t.Fatal(err)
	}
	read, err := offline.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Verify(h.issuer, now); warifu.ProblemOf(err).Problem != "status-responder-unauthorized" {
		t.Errorf("signed by another's responder: %v", err)
	}
	for i := range p.Raw {
		broken := bytes.Clone(p.Raw)
		broken[i] ^= 0x10
		if read, err := offline.Parse(broken); err == nil && read.Verify(h.issuer, now) == nil {
			t.Fatalf("octet %d changed and nobody noticed", i)
		}
	}
}

func FuzzParse(f *testing.F) {
	h := newHouse(f)
	f.Add(h.signed(f, h.pack(f)).Raw)
	f.Fuzz(func(_ *testing.T, in []byte) {
		if p, err := offline.Parse(in); err == nil {
			_ = p.Verify(h.issuer, now)
			p.Status(nil, certificate(4, now.Add(-time.Hour)))
		}
	})
}
