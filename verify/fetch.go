package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
)

const (
	fetchTimeout = 10 * time.Second
	nonceLength  = 32 // RFC 9654 §2.1 recommends it
	maxGet       = 255
)

// defaultClient follows no redirect: a certificate names an address, and what that
// address points to was named by nobody.
var defaultClient = &http.Client{
	Timeout:       fetchTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

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

// CRLClient fetches full lists over HTTP from the address in the certificate and
// keeps each until its nextUpdate, or for MaxAge. The zero value is ready for use; it
// must not be copied.
type CRLClient struct {
	HTTP    *http.Client  // nil: ten seconds, no redirects
	Address string        // asked instead of the certificate's own when not empty
	MaxAge  time.Duration // a list is fetched anew after this; zero: one minute

	mu    sync.Mutex
	lists map[string]fetched
}

type fetched struct {
	list *crl.List
	at   time.Time
}

const (
	defaultListAge = time.Minute
	maxLists       = 64
)

// Check implements StatusChecker. Errors: Unavailable "status-unavailable", those of
// package crl, Refused "crl-is-delta", "crl-scope-mismatch".
func (c *CRLClient) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	address, err := pick(c.Address, certificate.CRLDistributionPoints)
	if err != nil {
		return Answer{}, err
	}
	list, err := c.list(ctx, address, now)
	if err != nil {
		return Answer{}, err
	}
	answer, err := readCRL(list, certificate, issuer, now)
	answer.Source = "crl " + address
	return answer, err
}

func (c *CRLClient) list(ctx context.Context, address string, now time.Time) (*crl.List, error) {
	longest := c.MaxAge
	if longest == 0 {
		longest = defaultListAge
	}
	c.mu.Lock()
	kept, ok := c.lists[address]
	c.mu.Unlock()
	if age := now.Sub(kept.at); ok && age >= 0 && age < longest && !now.After(kept.list.NextUpdate) {
		return kept.list, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, warifu.Unavailable("status-unavailable").With(err)
	}
	der, err := fetch(c.HTTP, request, "application/pkix-crl", crl.MaxList)
	if err != nil {
		return nil, err
	}
	list, err := crl.Parse(der)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil || len(c.lists) >= maxLists {
		c.lists = map[string]fetched{}
	}
	c.lists[address] = fetched{list, now}
	return list, nil
}

// pick returns the address to ask: the caller's, or the certificate's only http one.
func pick(fixed string, named []string) (string, error) {
	if fixed != "" {
		return fixed, nil
	}
	for _, address := range named {
		if u, err := url.Parse(address); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil {
			return address, nil
		}
	}
	return "", warifu.Unavailable("status-address-absent")
}

// fetch does the request and returns a body of at most limit octets and the wanted type.
func fetch(client *http.Client, request *http.Request, mediaType string, limit int64) ([]byte, error) {
	if client == nil {
		client = defaultClient
	}
	unavailable := warifu.Unavailable("status-unavailable")
	response, err := client.Do(request)
	if err != nil {
		return nil, unavailable.With(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	if response.StatusCode != http.StatusOK || strings.TrimSpace(got) != mediaType {
		return nil, warifu.Unavailable("status-unavailable", "http", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, unavailable.With(err)
	}
	if int64(len(body)) > limit {
		return nil, warifu.TooLarge("status-answer-too-large")
	}
	return body, nil
}
