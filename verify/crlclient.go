package verify

import (
	"context"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"warifu"
	"warifu/crl"
)

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
	list, err := c.list(ctx, address, issuer, now)
	if err != nil {
		return Answer{}, err
	}
	answer, err := readCRL(list, certificate, issuer, now)
	answer.Source = "crl " + address
	return answer, err
}

// list returns a list for the address that the issuer signed, kept or fetched.
func (c *CRLClient) list(ctx context.Context, address string, issuer *x509.Certificate, now time.Time) (*crl.List, error) {
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
	if err := list.Verify(issuer, now); err != nil {
		return nil, err // and is not kept
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil || len(c.lists) >= maxLists {
		c.lists = map[string]fetched{}
	}
	c.lists[address] = fetched{list, now}
	return list, nil
}
