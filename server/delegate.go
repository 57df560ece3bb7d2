package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"sync"
	"time"

	"warifu"
	"warifu/ca"
	"warifu/status"
)

// delegate holds an authority's OCSP responder key. The key is made here at every
// start and lives in memory only: it needs no ceremony, and a certificate of thirty
// days is what it is worth. Its successor is certified when two thirds have passed;
// while that fails the one that stands goes on answering to its end.
type delegate struct {
	issuer  *ca.Issuer
	clock   warifu.Clock
	log     *slog.Logger
	mu      sync.Mutex
	current status.Delegate
	tried   time.Time // when a successor was asked for in vain
}

// appointAgain is how long after a failure a successor is asked for again.
const appointAgain = time.Minute

// now returns what is to sign now.
func (d *delegate) now() (status.Delegate, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now()
	if !ca.ResponderDue(d.current.Certificate, now) {
		return d.current, nil
	}
	serves := d.current.Certificate != nil && now.Before(d.current.Certificate.NotAfter)
	if serves && now.Sub(d.tried) < appointAgain {
		return d.current, nil
	}
	next, err := d.appoint()
	if err != nil {
		d.tried = now
		if !serves {
			return status.Delegate{}, err
		}
		d.log.Error("responder", "what", "no successor yet", "until", d.current.Certificate.NotAfter.Format(time.RFC3339), "error", err.Error())
		return d.current, nil
	}
	d.current = next
	return next, nil
}

// appoint makes a key and has it certified.
func (d *delegate) appoint() (status.Delegate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return status.Delegate{}, err
	}
	der, err := d.issuer.CertifyResponder(context.Background(), &key.PublicKey)
	if err != nil {
		return status.Delegate{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	return status.Delegate{Certificate: certificate, Key: key}, err
}
