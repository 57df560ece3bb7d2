package ocsp_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	xocsp "golang.org/x/crypto/ocsp"

	"warifu"
	"warifu/ocsp"
)

var now = time.Date(2026, 4, 1, 9, 30, 0, 0, time.UTC)

// party is a certificate with its key.
type party struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

// hierarchy is an authority with a delegated responder and a stranger of the same shape.
type hierarchy struct{ authority, responder party }

var world = sync.OnceValue(func() hierarchy { return newHierarchy("Warifu Test Authority") })

var stranger = sync.OnceValue(func() hierarchy { return newHierarchy("Stranger") })

func newHierarchy(name string) hierarchy {
	var h hierarchy
	h.authority = issue(party{}, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, mustRSA())
	h.responder = issue(h.authority, responderTemplate(), mustP256())
	return h
}

func responderTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "responder"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: ocsp.OIDNoCheck, Value: []byte{5, 0}}},
	}
}

func issue(issuer party, template *x509.Certificate, key crypto.Signer) party {
	if template.NotBefore.IsZero() {
		template.NotBefore, template.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	}
	parent, signer := issuer.certificate, issuer.key
	if signer == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return party{key, c}
}

func mustRSA() crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func mustP256() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

var serial = new(big.Int).SetBytes([]byte{0x81, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17})

func single(h crypto.Hash, status warifu.Status) ocsp.Single {
	return ocsp.Single{CertID: ocsp.NewCertID(h, world().authority.certificate, serial), Status: status, ThisUpdate: now, NextUpdate: now.Add(time.Minute)}
}

var (
	good = warifu.Status{Cert: warifu.StatusGood}
	held = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: now.Add(-time.Hour)}
	lost = warifu.Status{Cert: warifu.StatusRevoked, RevokedAt: now.Add(-time.Hour)}
)

func answer(t testing.TB, p party, nonce []byte, singles ...ocsp.Single) []byte {
	t.Helper()
	der, err := ocsp.Sign(singles, nonce, now, p.certificate, p.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func problem(slug string) error { return &warifu.Error{Problem: slug} }

func TestAnswersReadBack(t *testing.T) {
	w := world()
	for _, signer := range []party{w.responder, w.authority} {
		for _, status := range []warifu.Status{good, held, lost, {}} {
			r, err := ocsp.ParseResponse(answer(t, signer, []byte("nonce"), single(crypto.SHA256, status)))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Verify(w.authority.certificate, now); err != nil {
				t.Fatal(err)
			}
			s, err := r.Find(w.authority.certificate, serial)
			if err != nil || s.Status != status || s.Fresh(now, 0) != nil || string(r.Nonce) != "nonce" {
				t.Errorf("%v: %+v", err, s)
			}
		}
	}
}

func TestAnotherLibraryReadsOurAnswers(t *testing.T) {
	w := world()
	subject := &x509.Certificate{SerialNumber: serial}
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		for _, signer := range []party{w.responder, w.authority} {
			for status, want := range map[warifu.Status]int{good: xocsp.Good, held: xocsp.Revoked, {}: xocsp.Unknown} {
				got, err := xocsp.ParseResponseForCert(answer(t, signer, nil, single(h, status)), subject, w.authority.certificate)
				if err != nil {
					t.Fatal(err)
				}
				if got.Status != want || (want == xocsp.Revoked && got.RevocationReason != int(status.Reason)) || got.IssuerHash != h {
					t.Errorf("%v: %+v", h, got)
				}
			}
		}
	}
}

func TestWeReadAnotherLibrarysAnswers(t *testing.T) {
	w := world()
	template := xocsp.Response{Status: xocsp.Revoked, SerialNumber: serial, ThisUpdate: now, NextUpdate: now.Add(time.Hour), RevokedAt: now, RevocationReason: xocsp.KeyCompromise, Certificate: w.responder.certificate, IssuerHash: crypto.SHA256}
	der, err := xocsp.CreateResponse(w.authority.certificate, w.responder.certificate, template, w.responder.key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	// that library states the present instant as producedAt
	if err := r.Verify(w.authority.certificate, r.ProducedAt); err != nil && r.ProducedAt.Before(w.responder.certificate.NotAfter) {
		t.Error(err)
	}
	if s, err := r.Find(w.authority.certificate, serial); err != nil || s.Status.Reason != warifu.ReasonKeyCompromise {
		t.Error(s, err)
	}
}

func TestRequestsReadBack(t *testing.T) {
	a := world().authority.certificate
	in := ocsp.Request{Nonce: []byte{1, 2, 3}, CertIDs: []ocsp.CertID{
		ocsp.NewCertID(crypto.SHA1, a, big.NewInt(0x80)), ocsp.NewCertID(crypto.SHA256, a, serial),
	}}
	der, err := in.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out, err := ocsp.ParseRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Nonce, in.Nonce) || len(out.CertIDs) != 2 || !out.CertIDs[0].Names(a, big.NewInt(0x80)) || !out.CertIDs[1].Names(a, serial) || out.CriticalUnknown {
		t.Errorf("%+v", out)
	}
}

func TestWeReadAnotherLibrarysRequests(t *testing.T) {
	a := world().authority.certificate
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		der, err := xocsp.CreateRequest(&x509.Certificate{SerialNumber: serial}, a, &xocsp.RequestOptions{Hash: h})
		if err != nil {
			t.Fatal(err)
		}
		r, err := ocsp.ParseRequest(der)
		if err != nil || len(r.CertIDs) != 1 || !r.CertIDs[0].Names(a, serial) || r.CertIDs[0].Hash != h || r.Nonce != nil {
			t.Errorf("%+v %v", r, err)
		}
	}
}

func TestAnErrorResponseIsNoAnswer(t *testing.T) {
	for _, s := range []ocsp.ResponseStatus{ocsp.MalformedRequest, ocsp.TryLater, ocsp.Unauthorized} {
		_, err := ocsp.ParseResponse(ocsp.ErrorResponse(s))
		if !errors.Is(err, problem("status-refused")) {
			t.Error(s, err)
		}
		if _, err := xocsp.ParseResponse(ocsp.ErrorResponse(s), nil); !errors.As(err, &xocsp.ResponseError{}) {
			t.Error(s, err)
		}
	}
}
