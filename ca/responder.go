package ca

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base32"
	"io"
	"time"

	"warifu"
	"warifu/profile"
)

// ResponderLife is how long a delegated OCSP responder's certificate lives; nobody
// can revoke it (it carries nocheck), so it is short.
const ResponderLife = 30 * 24 * time.Hour

// ResponderDue reports whether it is time to certify a responder's successor: a third of
// its life is left, or there is none.
func ResponderDue(c *x509.Certificate, now time.Time) bool {
	return c == nil || now.Before(c.NotBefore) || c.NotAfter.Sub(now) < c.NotAfter.Sub(c.NotBefore)/3
}

// CertifyResponder certifies a new P-256 key as a delegated OCSP responder of this
// authority, through the ledger like any other certificate: asking again for the same
// key returns the same certificate. A successor has a key of its own.
func (i *Issuer) CertifyResponder(ctx context.Context, key crypto.PublicKey) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, warifu.Invalid("key-algorithm-unsupported").With(err)
	}
	w := &issuance{
		build: func(serial []byte) ([]byte, error) { return i.buildResponder(serial, public) },
		lint:  func(tbs []byte) error { return i.lintResponder(tbs, public) },
		intent: warifu.Intent{
			Kind: i.config.Kind, Document: warifu.DigestOf(append([]byte("warifu-ocsp-responder\x00"), public...)),
			PublicKey: warifu.DigestOf(public), CreatedAt: i.config.Clock.Now(),
		},
	}
	i.widen(ctx)
	if err := i.draft(w); err != nil {
		return nil, err
	}
	i.finish(ctx, []*issuance{w})
	return w.recorded, w.err
}

func (i *Issuer) buildResponder(serial, public []byte) ([]byte, error) {
	var octets [5]byte
	if _, err := io.ReadFull(i.config.Random, octets[:]); err != nil {
		return nil, err
	}
	begin := i.config.Clock.Now().Add(-skew).UTC().Truncate(time.Second)
	if begin.Before(i.config.Certificate.NotBefore) {
		begin = i.config.Certificate.NotBefore
	}
	return profile.Responder{
		Serial: serial, PublicKey: public, CommonName: "OCSP responder " + base32.StdEncoding.EncodeToString(octets[:]),
		NotBefore: begin, NotAfter: earliest(begin.Add(ResponderLife), i.config.Certificate.NotAfter),
	}.TBS(i.config.Certificate)
}

// lintResponder is lint for a responder's certificate: its own profile, the lints about
// serial number, issuer and key, and zlint.
func (i *Issuer) lintResponder(tbs, public []byte) error {
	der, err := throwAway(tbs, i.config.Certificate)
	if err != nil {
		return err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return warifu.Refused("certificate-lint", "rule", "parses").With(err)
	}
	if err := profile.CheckResponder(c); err != nil {
		return err
	}
	limits := Limits{Issuer: i.config.Certificate, Serials: i.config.Serials, PublicKey: public, NotAfter: i.config.Certificate.NotAfter}
	for _, l := range lints {
		if l.everyone && !l.holds(limits, c) {
			return warifu.Refused("certificate-lint", "rule", l.Name)
		}
	}
	return i.zlintAll(der)
}
