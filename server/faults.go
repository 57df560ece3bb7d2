package server

import (
	"context"
	"crypto/x509"
	"net/http"
	"time"

	"warifu"
	"warifu/registration"
	"warifu/verification"
	"warifu/verify"
)

// Faults makes a server go wrong on purpose, for those who build against it (package
// sandbox/fault). Production has none: nothing in a configuration file names them.
type Faults interface {
	// Around stands before the site.
	Around(next http.Handler) http.Handler
	// Issue returns when certificates may be issued; Lost says whether a notice gets lost.
	Issue(ctx context.Context)
	Lost() bool
	// Status is an error where the status of certificates cannot be had for this request.
	Status(ctx context.Context) error
}

// Skewed is a Faults that can also put the login provider's clock ahead.
type Skewed interface {
	Skew() time.Duration
}

// outsideClock is the clock of the login provider's tokens: what relying parties' clocks say.
func (s *Server) outsideClock() warifu.Clock {
	clock := s.clock
	if s.options.Outside != nil {
		clock = s.options.Outside
	}
	if skewed, is := s.options.Faults.(Skewed); is {
		return skewedClock{clock, skewed}
	}
	return clock
}

type skewedClock struct {
	warifu.Clock
	by Skewed
}

// Now implements warifu.Clock.
func (c skewedClock) Now() time.Time { return c.Clock.Now().Add(c.by.Skew()) }

// around is the site behind the faults, where there are any.
func (s *Server) around(site http.Handler) http.Handler {
	if s.options.Faults == nil {
		return site
	}
	return s.options.Faults.Around(site)
}

// faultyStatus is the status of certificates as verifications see it while faults may be on.
type faultyStatus struct {
	verification.Own
	faults Faults
}

// Check implements verify.StatusChecker.
func (f faultyStatus) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (verify.Answer, error) {
	if err := f.faults.Status(ctx); err != nil {
		return verify.Answer{}, err
	}
	return f.Own.Check(ctx, certificate, issuer, now)
}

// statusChecker is own, behind the faults where there are any.
func (s *Server) statusChecker(own verification.Own) verify.StatusChecker {
	if s.options.Faults == nil {
		return own
	}
	return faultyStatus{own, s.options.Faults}
}

// slowIssuer issues when the faults let it.
type slowIssuer struct {
	issuer
	faults Faults
}

// Issue implements registration.Issuer.
func (i slowIssuer) Issue(ctx context.Context, evidence []registration.Evidence) []registration.Outcome {
	i.faults.Issue(ctx)
	return i.issuer.Issue(ctx, evidence)
}

// issuerOf is an authority as the registration authority sees it.
func (s *Server) issuerOf(kind warifu.Kind, a *authority) registration.Issuer {
	i := issuer{kind, a.issuer, a.ledger}
	if s.options.Faults == nil {
		return i
	}
	return slowIssuer{i, s.options.Faults}
}
