package tour

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/verify"
)

// This file asks what anybody may ask: OCSP and the revocation lists.

// remember keeps the certificate that somebody was shown.
func (w *walker) remember(kind warifu.Kind, der []byte) error {
	certificate, err := x509.ParseCertificate(der)
	if err == nil {
		w.certificates[kind] = certificate
	}
	return err
}

// rememberSigner keeps the certificate that a signature carries.
func (w *walker) rememberSigner(signature []byte) error {
	message, err := cms.Parse(signature)
	if err != nil {
		return err
	}
	w.certificates[warifu.Signature] = message.Signer
	return nil
}

// maxFetched bounds what is fetched in one piece.
const maxFetched = 16 << 20

// fetch gets a public thing of the server.
func (w *walker) fetch(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Places.Server+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", path, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxFetched))
}

func (w *walker) issuer(ctx context.Context, kind warifu.Kind) (*x509.Certificate, error) {
	der, err := w.fetch(ctx, "/ca/"+kind.String()+".cer")
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// told wants OCSP to say that of the certificate.
func (w *walker) told(ctx context.Context, certificate *x509.Certificate, kind warifu.Kind, want warifu.CertStatus, why warifu.Reason) error {
	issuer, err := w.issuer(ctx, kind)
	if err != nil {
		return err
	}
	answer, err := verify.OCSPClient{}.Check(ctx, certificate, issuer, w.App.Clock.Now())
	if err != nil {
		return err
	}
	if answer.Status.Cert != want || (want == warifu.StatusRevoked && answer.Status.Reason != why) {
		return fmt.Errorf("OCSP says %s (%s) of the %s certificate, want %s (%s)", answer.Status.Cert, answer.Status.Reason, kind, want, why)
	}
	return nil
}

// listed waits until the revocation list, or its "-delta", has the certificate for that
// reason: lists are made within a second of what they tell.
func (w *walker) listed(ctx context.Context, delta string, kind warifu.Kind, certificate *x509.Certificate, why warifu.Reason) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		der, err := w.fetch(ctx, "/crl/"+kind.String()+delta+".crl")
		if err != nil {
			return err
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return err
		}
		for _, e := range list.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(certificate.SerialNumber) == 0 && e.ReasonCode == int(why) {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-late:
			return fmt.Errorf("the %s%s list's entry for %s %w", kind, delta, why, errLate)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
