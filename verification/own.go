package verification

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/verify"
)

// Responder answers OCSP requests within this process (status.Responder).
type Responder interface {
	Answer(ctx context.Context, question []byte) []byte
}

// Historian tells signed histories within this process (status.Historian).
type Historian interface {
	Answer(ctx context.Context, serial []byte) ([]byte, error)
}

// Authority is one whose status is known here.
type Authority struct {
	Certificate *x509.Certificate
	Responder   Responder
	Historian   Historian // nil: it tells none
}

// Own is the status of certificates without the network: that of our own authorities from
// their responders and historians in this process, and that of the cards from their bureau.
// What comes back is signed all the same, and is what evidence is made of.
type Own struct {
	Authorities []Authority
	// Cards asks the card bureau for the OCSP response on a card's certificate; nil: nobody.
	Cards func(ctx context.Context, kind warifu.Kind, serial []byte) ([]byte, error)
	// Kind tells which of the cards' two authorities an issuer is; false for neither.
	Kind func(issuer *x509.Certificate) (warifu.Kind, bool)
}

func (o Own) of(issuer *x509.Certificate) (Authority, bool) {
	for _, a := range o.Authorities {
		if bytes.Equal(a.Certificate.Raw, issuer.Raw) {
			return a, true
		}
	}
	return Authority{}, false
}

func (o Own) fetch(ctx context.Context, certificate, issuer *x509.Certificate) ([]byte, error) {
	if a, ours := o.of(issuer); ours {
		question, err := (&ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, issuer, certificate.SerialNumber)}}).Marshal()
		if err != nil {
			return nil, err
		}
		return a.Responder.Answer(ctx, question), nil
	}
	if o.Cards != nil && o.Kind != nil {
		if kind, known := o.Kind(issuer); known {
			return o.Cards(ctx, kind, certificate.SerialNumber.Bytes())
		}
	}
	return nil, warifu.Unavailable("status-unavailable")
}

// Check implements verify.StatusChecker.
func (o Own) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (verify.Answer, error) {
	der, err := o.fetch(ctx, certificate, issuer)
	if err != nil {
		return verify.Answer{}, err
	}
	answer, err := verify.RawOCSP(der).Check(ctx, certificate, issuer, now)
	if answer.Source = "card bureau"; o.isOurs(issuer) {
		answer.Source = "this service"
	}
	return answer, err
}

func (o Own) isOurs(issuer *x509.Certificate) bool {
	_, ours := o.of(issuer)
	return ours
}

// Fetch implements verify.Fetcher.
func (o Own) Fetch(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	der, err := o.fetch(ctx, certificate, issuer)
	if err == nil {
		_, err = verify.RawOCSP(der).Check(ctx, certificate, issuer, now)
	}
	return der, err
}

// OwnHistory is the same for histories.
type OwnHistory struct{ Own }

// Fetch implements verify.Fetcher. NotFound "status-history-absent" for cards, of which
// nobody tells any.
func (o OwnHistory) Fetch(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	a, ours := o.of(issuer)
	if !ours || a.Historian == nil {
		return nil, warifu.NotFound("status-history-absent")
	}
	der, err := a.Historian.Answer(ctx, certificate.SerialNumber.Bytes())
	if err != nil {
		return nil, err
	}
	_, err = verify.RawHistory(der).Holds(ctx, certificate, issuer, now)
	return der, err
}

// Holds implements verify.History.
func (o OwnHistory) Holds(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (verify.Past, error) {
	der, err := o.Fetch(ctx, certificate, issuer, now)
	if err != nil {
		return verify.Past{}, err
	}
	return verify.RawHistory(der).Holds(ctx, certificate, issuer, now)
}
