package verify_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/verify"
)

// now is the world's present.
var now = time.Date(2026, 4, 1, 9, 30, 0, 0, time.UTC)

var clock = warifu.ClockFunc(func() time.Time { return now })

type party struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

// house is one authority with its responder and one good certificate below it.
type house struct {
	class     profile.Class
	kind      warifu.Kind
	authority party
	responder party
	holder    party
}

type place struct {
	class profile.Class
	kind  warifu.Kind
}

var (
	cardSignature       = place{profile.ClassCard, warifu.Signature}
	cardAuthentication  = place{profile.ClassCard, warifu.Authentication}
	phoneSignature      = place{profile.ClassPhone, warifu.Signature}
	phoneAuthentication = place{profile.ClassPhone, warifu.Authentication}
)

// world is the four authorities of the house; a second world of the same names is a forger's.
var (
	world  = sync.OnceValue(newWorld)
	forged = sync.OnceValue(newWorld)
)

func newWorld() map[place]house {
	out := map[place]house{}
	for _, p := range []place{cardSignature, cardAuthentication, phoneSignature, phoneAuthentication} {
		out[p] = newHouse(p)
	}
	return out
}

func newHouse(p place) house { return newHouseWith(p, newKey()) }

// newHouseWith makes a house whose authority has that key.
func newHouseWith(p place, key crypto.Signer) house {
	h := house{class: p.class, kind: p.kind}
	name := profile.CardAuthority(p.kind)
	if p.class == profile.ClassPhone {
		name = profile.PhoneAuthority(p.kind, "")
	}
	h.authority = party{key, certificate(name.SelfSign(key, []byte{1}, now.AddDate(-1, 0, 0), now.AddDate(10, 0, 0)))}
	h.responder = h.delegate(now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))
	h.holder = h.issue(now.AddDate(0, -1, 0), now.AddDate(1, 0, 0))
	return h
}

func (h house) delegate(notBefore, notAfter time.Time) party {
	key := newKey()
	tbs, err := profile.Responder{Serial: []byte{2}, PublicKey: spki(key), CommonName: "responder", NotBefore: notBefore, NotAfter: notAfter}.TBS(h.authority.certificate)
	if err != nil {
		panic(err)
	}
	return party{key, certificate(profile.Sign(tbs, h.authority.key))}
}

var endpoints = profile.Endpoints{
	OCSP: "http://status.test/ocsp", CRL: "http://status.test/list.crl", Issuer: "http://status.test/ca.cer",
}

var yamada = profile.Attributes{Name: "山田　太郎", Gender: "1", BirthDate: "319800217", Address: "東京都清瀬市中里五丁目８４２番地"}.Complete()

func (h house) issue(notBefore, notAfter time.Time) party {
	return h.issueAt(endpoints, notBefore, notAfter)
}

func (h house) issueAt(e profile.Endpoints, notBefore, notAfter time.Time) party {
	return h.issueTo(newKey(), e, notBefore, notAfter)
}

func (h house) issueTo(key crypto.Signer, e profile.Endpoints, notBefore, notAfter time.Time) party {
	p := profile.Of(h.class, h.kind)
	p.Endpoints = e
	serial := make([]byte, 17)
	_, _ = rand.Read(serial[1:])
	serial[0] = 0x42
	in := profile.EndEntity{Serial: serial, PublicKey: spki(key), CommonName: "X1", NotBefore: notBefore, NotAfter: notAfter}
	if h.kind == warifu.Signature {
		in.Attributes = yamada
	}
	if h.class == profile.ClassCard {
		in.Prefecture, in.Municipality = "Tokyo-to", "Kiyose-shi"
	}
	tbs, err := p.TBS(in, h.authority.certificate)
	if err != nil {
		panic(err)
	}
	return party{key, certificate(profile.Sign(tbs, h.authority.key))}
}

func newKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func spki(key crypto.Signer) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return der
}

func certificate(der []byte, err error) *x509.Certificate {
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

// trust believes the world's four authorities.
func trust(t testing.TB) verify.Trust {
	t.Helper()
	var out verify.Trust
	for p, h := range world() {
		if err := out.Add(p.class, p.kind, h.authority.certificate); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// said is a checker that says the same of everything.
type said struct {
	status warifu.Status
	at     time.Time
	err    error
}

func (s said) Check(context.Context, *x509.Certificate, *x509.Certificate, time.Time) (verify.Answer, error) {
	return verify.Answer{Status: s.status, ThisUpdate: s.at, NextUpdate: s.at.Add(10 * time.Minute), Source: "said"}, s.err
}

var good = warifu.Status{Cert: warifu.StatusGood}

func verifier(t testing.TB) *verify.Verifier {
	t.Helper()
	return verify.New(trust(t), said{status: good, at: now}, clock)
}

func signed(t testing.TB, p party, content []byte, detached bool) []byte {
	t.Helper()
	prepared, err := cms.Prepare(cms.OIDData, content, p.certificate, nil, now, detached)
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, p, prepared)
}

func finish(t testing.TB, p party, prepared *cms.Prepared) []byte {
	t.Helper()
	digest := prepared.Digest()
	signature, err := p.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	der, err := prepared.Finish(signature)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func answered(t testing.TB, h house, by party, of *big.Int, status warifu.Status, thisUpdate time.Time) []byte {
	t.Helper()
	id := ocsp.NewCertID(crypto.SHA256, h.authority.certificate, of)
	single := ocsp.Single{CertID: id, Status: status, ThisUpdate: thisUpdate, NextUpdate: thisUpdate.Add(10 * time.Minute)}
	der, err := ocsp.Sign([]ocsp.Single{single}, nil, thisUpdate, by.certificate, by.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

var question = attest.Presence{
	Purpose: "login", ClientID: "bank", Origin: "https://bank.example", Nonce: []byte("0123456789abcdef"),
	Transaction: "t-1", Time: now.Add(-time.Minute),
}

func respond(t testing.TB, p party, q attest.Presence) []byte {
	t.Helper()
	digest := q.Digest()
	signature, err := p.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// must is for calls whose only error is the context's.
func must(t testing.TB) func(*verify.Result, error) *verify.Result {
	return func(r *verify.Result, err error) *verify.Result {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

func wantBad(t *testing.T, name string, r *verify.Result, problem string) {
	t.Helper()
	if r.Verdict != verify.Bad || !r.Has(problem) || r.Err() == nil {
		t.Errorf("%s: %s %v, want bad for %s", name, r.Verdict, r.Reasons, problem)
	}
}

func wantUnknown(t *testing.T, name string, r *verify.Result, problem string) {
	t.Helper()
	if r.Verdict != verify.Unknown || !r.Has(problem) || r.Err() == nil || r.Status.Cert == warifu.StatusGood {
		t.Errorf("%s: %s %v %v, want unknown for %s", name, r.Verdict, r.Reasons, r.Status, problem)
	}
}

func wantGood(t *testing.T, name string, r *verify.Result) {
	t.Helper()
	if r.Verdict != verify.Good || len(r.Reasons) != 0 || r.Err() != nil {
		t.Errorf("%s: %s %v", name, r.Verdict, r.Reasons)
	}
}
