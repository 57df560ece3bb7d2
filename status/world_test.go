package status_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/status"
)

var now = warifu.SystemClock{}.Now().UTC().Truncate(time.Second) // OpenSSL knows no other clock

var clock = warifu.ClockFunc(func() time.Time { return now })

type party struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

// authority is a phone's signature authority with its responder.
type authority struct{ ca, responder party }

var world = sync.OnceValue(func() authority {
	var a authority
	key := newKey()
	a.ca = party{key, parse(profile.PhoneAuthority(warifu.Signature, "").SelfSign(key, []byte{1}, now.AddDate(-1, 0, 0), now.AddDate(10, 0, 0)))}
	a.responder = a.delegate(now.AddDate(0, 0, -1), now.AddDate(0, 0, 7))
	return a
})

func (a authority) delegate(notBefore, notAfter time.Time) party {
	return a.delegateOf(newKey(), notBefore, notAfter)
}

func (a authority) delegateOf(key crypto.Signer, notBefore, notAfter time.Time) party {
	tbs, err := profile.Responder{Serial: []byte{2}, PublicKey: spki(key), CommonName: "responder", NotBefore: notBefore, NotAfter: notAfter}.TBS(a.ca.certificate)
	if err != nil {
		panic(err)
	}
	return party{key, parse(profile.Sign(tbs, a.ca.key))}
}

// issue makes a certificate whose serial number ends in n and which names the status server at base.
func (a authority) issue(n byte, base string) party {
	key := newKey()
	p := profile.Phone(warifu.Signature, profile.P256, profile.Endpoints{OCSP: base + "/ocsp/signature", CRL: base + "/crl/signature.crl", Issuer: base + "/ca/signature.cer"})
	tbs, err := p.TBS(profile.EndEntity{
		Serial: serial(n), PublicKey: spki(key), CommonName: "X1", NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(1, 0, 0),
		Attributes: profile.Attributes{Name: "山田　太郎", Gender: "1", BirthDate: "319800217", Address: "東京都"},
	}, a.ca.certificate)
	if err != nil {
		panic(err)
	}
	return party{key, parse(profile.Sign(tbs, a.ca.key))}
}

// serial is 17 octets, as the house makes them.
func serial(n byte) []byte {
	s := make([]byte, 17)
	s[0], s[16] = 0x01, n
	return s
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

func parse(der []byte, err error) *x509.Certificate {
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

const (
	isGood = iota + 1
	isRevoked
	isHeld
	isPending
	isNeverIssued
)

// records is a Source over the serial numbers above.
type records struct {
	mu   sync.Mutex
	held map[byte]warifu.Status
	err  error
}

var errDown = errors.New("down")

func newRecords() *records {
	return &records{held: map[byte]warifu.Status{
		isGood:    {Cert: warifu.StatusGood},
		isRevoked: {Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: now.Add(-time.Hour)},
		isHeld:    {Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: now.Add(-time.Minute)},
		isPending: {},
	}}
}

func (r *records) Status(_ context.Context, kind warifu.Kind, octets []byte) (warifu.StatusRecord, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(octets) != 17 || hex.EncodeToString(octets[:16]) != hex.EncodeToString(serial(0)[:16]) {
		return warifu.StatusRecord{}, false, r.err
	}
	s, ok := r.held[octets[16]]
	return warifu.StatusRecord{Kind: kind, Serial: octets, Status: s}, ok, r.err
}

func (r *records) set(n byte, s warifu.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[n] = s
}

// revoked is a Listing over the same.
func (r *records) revoked(_ context.Context, add func(warifu.StatusRecord) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, s := range r.held {
		if s.Cert != warifu.StatusRevoked {
			continue
		}
		if err := add(warifu.StatusRecord{Kind: warifu.Signature, Serial: serial(n), Status: s}); err != nil {
			return err
		}
	}
	return r.err
}

func newResponder(t testing.TB, source status.Source) *status.Responder {
	t.Helper()
	w := world()
	delegate := func() (status.Delegate, error) {
		return status.Delegate{Certificate: w.responder.certificate, Key: w.responder.key}, nil
	}
	return status.NewResponder(warifu.Signature, w.ca.certificate, source, delegate, clock)
}
