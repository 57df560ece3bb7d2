package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"sync"

	"warifu"
	"warifu/ca"
	"warifu/status"
)

// delegate holds an authority's OCSP responder key. The key is made here at every
// start and lives in memory only: it needs no ceremony, and a certificate of thirty
// days is what it is worth. Its successor is certified when two thirds have passed.
type delegate struct {
	issuer  *ca.Issuer
	clock   warifu.Clock
	mu      sync.Mutex
	current status.Delegate
}

func newDelegate(issuer *ca.Issuer, clock warifu.Clock) (*delegate, error) {
	d := &delegate{issuer: issuer, clock: clock}
	_, err := d.now()
	return d, err
}

// now returns what is to sign now.
func (d *delegate) now() (status.Delegate, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.current.Certificate; c != nil && !ca.ResponderDue(c, d.clock.Now()) {
		return d.current, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return status.Delegate{}, err
	}
	der, err := d.issuer.CertifyResponder(context.Background(), &key.PublicKey)
	if err != nil {
		return status.Delegate{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return status.Delegate{}, err
	}
	d.current = status.Delegate{Certificate: certificate, Key: key}
	return d.current, nil
}
