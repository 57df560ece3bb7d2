package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
	"warifu/ocsp"
)

const (
	nonceLength = 32 // RFC 9654 §2.1 recommends it
	maxGet      = 255
)

// OCSPClient asks the responder named in the certificate over HTTP. The zero value
// is ready for use: POST, SHA-256, a nonce that the answer may leave out.
type OCSPClient struct {
	HTTP         *http.Client // nil: ten seconds, no redirects
	Address      string       // asked instead of the certificate's own when not empty
	Hash         crypto.Hash  // of the CertID: SHA256 (zero) or SHA1 for old responders
	Get          bool         // ask by GET where the request is short enough (RFC 5019 §5), so that caches can help
	NoNonce      bool         // send none; GET is of little use with one
	RequireNonce bool         // refuse an answer that does not repeat it
}

// Check implements StatusChecker. Errors: Unavailable "status-unavailable" for what
// may pass, those of package ocsp, Refused "status-nonce-mismatch".
func (o OCSPClient) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	address, err := pick(o.Address, certificate.OCSPServer)
	if err != nil {
		return Answer{}, err
	}
	request, nonce, err := o.question(certificate, issuer)
	if err != nil {
		return Answer{}, err
	}
	der, err := o.ask(ctx, address, request)
	if err != nil {
		return Answer{}, err
	}
	answer, echoed, err := readOCSP(der, certificate, issuer, now)
	if err != nil {
		return Answer{}, err
	}
	if nonce != nil && !bytes.Equal(nonce, echoed) && (echoed != nil || o.RequireNonce) {
		return Answer{}, warifu.Refused("status-nonce-mismatch")
	}
	answer.Source = "ocsp " + address
	return answer, nil
}

// Fetch asks as Check does and returns the responder's octets, checked to be an
// answer about the certificate, for handing on to somebody who will check them again.
func (o OCSPClient) Fetch(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	address, err := pick(o.Address, certificate.OCSPServer)
	if err != nil {
		return nil, err
	}
	o.NoNonce = true
	request, _, err := o.question(certificate, issuer)
	if err != nil {
		return nil, err
	}
	der, err := o.ask(ctx, address, request)
	if err != nil {
		return nil, err
	}
	_, _, err = readOCSP(der, certificate, issuer, now)
	return der, err
}

func (o OCSPClient) question(certificate, issuer *x509.Certificate) (der, nonce []byte, err error) {
	hash := o.Hash
	if hash == 0 {
		hash = crypto.SHA256
	}
	request := ocsp.Request{CertIDs: []ocsp.CertID{ocsp.NewCertID(hash, issuer, certificate.SerialNumber)}}
	if !o.NoNonce {
		request.Nonce = make([]byte, nonceLength)
		if _, err := rand.Read(request.Nonce); err != nil {
			return nil, nil, err
		}
	}
	der, err = request.Marshal()
	return der, request.Nonce, err
}

func (o OCSPClient) ask(ctx context.Context, address string, question []byte) ([]byte, error) {
	request, err := o.httpRequest(ctx, address, question)
	if err != nil {
		return nil, warifu.Unavailable("status-unavailable").With(err)
	}
	return fetch(o.HTTP, request, "application/ocsp-response", ocsp.MaxResponse)
}

func (o OCSPClient) httpRequest(ctx context.Context, address string, question []byte) (*http.Request, error) {
	path := url.QueryEscape(base64.StdEncoding.EncodeToString(question))
	if o.Get && len(address)+1+len(path) <= maxGet {
		return http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/"+path, nil)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err == nil {
		request.Header.Set("Content-Type", "application/ocsp-request")
	}
	return request, err
}
