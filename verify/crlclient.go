package verify

import (
	"context"
	"crypto/x509"
	"math/big"
	"net/http"
	"sync"
	"time"

	"warifu"
	"warifu/crl"
)

// CRLClient fetches lists over HTTP from the address in the certificate and keeps
// each for MaxAge. The zero value is ready for use; it must not be copied.
type CRLClient struct {
	HTTP    *http.Client  // nil: ten seconds, no redirects
	Address string        // asked instead of the certificate's own when not empty
	MaxAge  time.Duration // newer word is fetched after this; zero: one minute
	// Deltas has a full list kept to its nextUpdate, and between times only the delta on
	// it fetched, from where the list says its deltas are. Where there is none, or it does
	// not belong to the list, the full list is fetched anew.
	Deltas bool
	// Offline goes on with what is kept, to its nextUpdate, when nothing newer can be had.
	// How old it may be then is the policy's to say (Policy.MaxStatusAge). A delta's
	// nextUpdate comes much sooner than a full list's.
	Offline bool

	mu   sync.Mutex
	kept map[string]lists
}

// lists is what is kept of one address.
type lists struct {
	full  *crl.List
	delta *crl.List // applied to full; nil: none
	at    time.Time // when it was fetched
}

const (
	defaultListAge = time.Minute
	maxLists       = 64
)

// usable reports whether what is kept may be relied upon at all at that instant.
func (l lists) usable(now time.Time) bool { return l.full != nil && !now.After(l.full.NextUpdate) }

// Check implements StatusChecker. Errors: Unavailable "status-unavailable", those of
// package crl, Refused "crl-is-delta", "crl-scope-mismatch".
func (c *CRLClient) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	address, err := pick(c.Address, certificate.CRLDistributionPoints)
	if err != nil {
		return Answer{}, err
	}
	l, err := c.lists(ctx, address, issuer, now)
	if err != nil {
		return Answer{}, err
	}
	answer, err := readLists(l.full, l.delta, certificate, issuer, now)
	answer.Source = "crl " + address
	return answer, err
}

// Fetch returns the octets of the full list that Check would look into, for handing on to
// somebody who will check it again. Errors as Check.
func (c *CRLClient) Fetch(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	address, err := pick(c.Address, certificate.CRLDistributionPoints)
	if err != nil {
		return nil, err
	}
	l, err := c.lists(ctx, address, issuer, now)
	if err != nil {
		return nil, err
	}
	if _, err := readLists(l.full, nil, certificate, issuer, now); err != nil {
		return nil, err
	}
	return l.full.Raw, nil
}

// lists returns what the issuer last signed for the address, kept or fetched.
func (c *CRLClient) lists(ctx context.Context, address string, issuer *x509.Certificate, now time.Time) (lists, error) {
	longest := c.MaxAge
	if longest == 0 {
		longest = defaultListAge
	}
	c.mu.Lock()
	kept := c.kept[address]
	c.mu.Unlock()
	if !kept.usable(now) {
		kept = lists{}
	}
	over := kept.delta != nil && now.After(kept.delta.NextUpdate)
	if age := now.Sub(kept.at); kept.full != nil && !over && age >= 0 && age < longest {
		return kept, nil
	}
	next, err := c.newer(ctx, address, kept, issuer, now)
	if err != nil {
		if c.Offline && kept.full != nil && warifu.ProblemOf(err).IsCode(warifu.CodeUnavailable) {
			return kept, nil
		}
		return lists{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= maxLists {
		c.kept = map[string]lists{}
	}
	c.kept[address] = next
	return next, nil
}

// newer fetches what there is beyond kept.
func (c *CRLClient) newer(ctx context.Context, address string, kept lists, issuer *x509.Certificate, now time.Time) (lists, error) {
	if c.Deltas && kept.full != nil {
		if next, err := c.newerDelta(ctx, kept, issuer, now); err == nil {
			return next, nil
		}
	}
	full, err := c.list(ctx, address, issuer, now)
	if err != nil {
		return lists{}, err // and is not kept
	}
	if kept.full != nil && full.Base == nil && full.Number.Cmp(kept.newest()) < 0 {
		return lists{kept.full, kept.delta, now}, nil // an older list once more tells nothing new
	}
	return lists{full, nil, now}, nil
}

// newest is the number of what is kept.
func (l lists) newest() *big.Int {
	if l.delta != nil {
		return l.delta.Number
	}
	return l.full.Number
}

func (c *CRLClient) newerDelta(ctx context.Context, kept lists, issuer *x509.Certificate, now time.Time) (lists, error) {
	address, err := pick("", kept.full.Freshest)
	if err != nil {
		return lists{}, err
	}
	delta, err := c.list(ctx, address, issuer, now)
	if err != nil {
		return lists{}, err
	}
	if delta.Base != nil && delta.Number.Cmp(kept.newest()) <= 0 {
		return lists{kept.full, kept.delta, now}, nil // nothing has been made since
	}
	_, err = crl.Combine(kept.full, delta)
	return lists{kept.full, delta, now}, err
}

// list fetches one list that the issuer signed.
func (c *CRLClient) list(ctx context.Context, address string, issuer *x509.Certificate, now time.Time) (*crl.List, error) {
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
	return list, list.Verify(issuer, now)
}
