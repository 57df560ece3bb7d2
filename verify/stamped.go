package verify

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/timestamp"
)

// stamped looks at the time-stamp on a signature and returns the policy with the
// instant to judge: the time-stamp's, where the caller names none himself. A time-stamp of
// somebody not trusted proves nothing and is warned about; one that is of something else,
// or does not hold, makes the result Bad: somebody put it there.
func (v *Verifier) stamped(r *Result, p Policy, token []byte, imprint [sha256.Size]byte) Policy {
	if token == nil {
		return p
	}
	at, err := v.openStamp(token, imprint)
	switch {
	case errors.Is(err, &warifu.Error{Problem: "timestamp-untrusted"}):
		r.warn(warifu.ProblemOf(err))
		return p
	case err != nil:
		r.bad(err)
		return p
	}
	if at.After(v.clock.Now().Add(ocsp.MaxSkew)) {
		r.bad(warifu.Refused("timestamp-future"))
		return p
	}
	r.Stamped = at
	if p.At.IsZero() {
		r.At, p.At = at, at
	}
	return p
}

// openStamp returns the instant of a token over the imprint by an authority that is trusted.
func (v *Verifier) openStamp(token []byte, imprint [sha256.Size]byte) (time.Time, error) {
	t, err := timestamp.ParseToken(token)
	if err != nil {
		return time.Time{}, err
	}
	if err := t.Verify(v.stamps, imprint); err != nil {
		return time.Time{}, err
	}
	return t.Time, nil
}

// kept is a status answer that was kept beside a signature since it was made. Whoever
// signed it had to be entitled to then, not now: responders' certificates end long before
// documents do. It must still be of the instant judged.
type kept struct {
	checker StatusChecker
	at      time.Time
}

// Check implements StatusChecker.
func (k kept) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	if then := k.at.Add(ocsp.MaxSkew); then.Before(now) {
		now = then
	}
	return k.checker.Check(ctx, certificate, issuer, now)
}
