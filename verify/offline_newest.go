package verify

import (
	"context"
	"crypto/x509"
	"time"

	"warifu"
)

// Newest asks all its checkers and returns the answer that was true last; a revocation for
// good counts whoever tells it, since it is never taken back. When none has an answer the
// error is the first. It is for answers that are at hand: one stapled to a signature may
// be older than the pack behind it, or newer.
type Newest []StatusChecker

// Check implements StatusChecker.
func (all Newest) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	var best Answer
	var first error
	found := false
	for _, checker := range all {
		answer, err := checker.Check(ctx, certificate, issuer, now)
		switch {
		case err != nil:
			if first == nil {
				first = err
			}
		case !found, final(answer) && !final(best), final(answer) == final(best) && answer.ThisUpdate.After(best.ThisUpdate):
			best, found = answer, true
		}
	}
	switch {
	case found:
		return best, nil
	case first == nil:
		return Answer{}, warifu.Unavailable("status-not-checked")
	}
	return Answer{}, first
}

func final(a Answer) bool {
	return a.Status.Cert == warifu.StatusRevoked && a.Status.Reason != warifu.ReasonCertificateHold
}
