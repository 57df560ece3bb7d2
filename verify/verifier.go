package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/timestamp"
)

// Verifier answers questions against one set of trusted authorities. It holds no
// other state and may be used by many goroutines.
type Verifier struct {
	trust   Trust
	status  StatusChecker
	history History
	stamps  timestamp.Anchors
	clock   warifu.Clock
}

// New makes a verifier. status is asked for every certificate whose chain held; nil
// leaves every verdict unknown at best, unless the policy brings its own.
func New(trust Trust, status StatusChecker, clock warifu.Clock) *Verifier {
	return &Verifier{trust: trust, status: status, clock: clock}
}

// WithHistory returns a verifier that also asks history, wherever a policy names an
// instant (Policy.At): without it such a question is mostly left unknown.
func (v *Verifier) WithHistory(history History) *Verifier {
	w := *v
	w.history = history
	return &w
}

// WithTimestamps returns a verifier that believes the time-stamps of these authorities:
// a signature with one is judged at the time-stamp's instant instead of now. Without it a
// time-stamp is only warned about.
func (v *Verifier) WithTimestamps(authorities timestamp.Anchors) *Verifier {
	w := *v
	w.stamps = authorities
	return &w
}

// begin starts a result for the instant the policy asks about.
func (v *Verifier) begin(p Policy) *Result {
	at := p.At
	if at.IsZero() {
		at = v.clock.Now()
	}
	return &Result{At: at}
}

// Certificate judges a certificate alone: chain, profile, class, kind, validity,
// status. Error: the context's, and nothing else.
func (v *Verifier) Certificate(ctx context.Context, c *x509.Certificate, p Policy) (*Result, error) {
	r := v.begin(p)
	v.judge(ctx, r, c, p.Kind, p)
	r.conclude()
	return r, ctx.Err()
}

// judge runs every check on the certificate that has a meaning by itself and
// records what did not hold. No address inside the certificate is called before
// its authority is known.
func (v *Verifier) judge(ctx context.Context, r *Result, c *x509.Certificate, want warifu.Kind, p Policy) {
	r.Certificate = c
	class, kind, known := profile.ClassOf(c)
	if !known {
		r.bad(warifu.Refused("certificate-policy-unknown"))
		return
	}
	r.Class, r.Kind = class, kind
	if want != 0 && kind != want {
		r.bad(warifu.Refused("certificate-purpose", "wanted", want.String(), "kind", kind.String()))
	}
	if !p.accepts(class) {
		r.bad(warifu.Refused("certificate-class", "class", class.String()))
	}
	a, err := v.trust.find(c, class, kind)
	if err != nil {
		r.bad(err)
		return
	}
	r.Authority = a.certificate
	if err := a.profile.CheckOnce(c); err != nil {
		r.bad(err)
		return
	}
	r.checkValidity(c, a.certificate)
	r.tellAttributes(c, p.Attributes)
	v.checkStatus(ctx, r, p)
}

func (r *Result) checkValidity(c, authority *x509.Certificate) {
	switch {
	case r.At.Before(c.NotBefore):
		r.bad(warifu.Refused("certificate-not-yet-valid", "notBefore", stamp(c.NotBefore)))
	case r.At.After(c.NotAfter):
		r.bad(warifu.Refused("certificate-expired", "notAfter", stamp(c.NotAfter)))
	}
	if r.At.Before(authority.NotBefore) || r.At.After(authority.NotAfter) {
		r.bad(warifu.Refused("certificate-authority-expired", "notAfter", stamp(authority.NotAfter)))
	}
}

func (r *Result) tellAttributes(c *x509.Certificate, asked []Attribute) {
	if len(asked) == 0 {
		return
	}
	attributes, present, err := profile.ParseAttributes(c)
	switch {
	case err != nil:
		r.bad(err)
	case present:
		r.Attributes = only(asked, attributes)
	default:
		r.warn(warifu.NotFound("attributes-absent"))
	}
}

// checkStatus finds out the status at the instant judged: from the history where the
// instant is one the policy names and somebody tells histories, and otherwise from the
// checker, whose answer is held against the instant.
func (v *Verifier) checkStatus(ctx context.Context, r *Result, p Policy) {
	now := v.clock.Now()
	if !p.At.IsZero() && v.checkPast(ctx, r, p, now) {
		return
	}
	checker := v.status
	if p.Status != nil {
		checker = p.Status
	}
	if checker == nil {
		r.unsure(warifu.Unavailable("status-not-checked"))
		return
	}
	answer, err := checker.Check(ctx, r.Certificate, r.Authority, now)
	if err != nil {
		r.unsure(err)
		return
	}
	r.StatusSource, r.StatusTime = answer.Source, answer.ThisUpdate
	r.weigh(answer, p.MaxStatusAge)
	if r.undecided && r.Status.Cert == warifu.StatusGood { // so the answer says, but the history is wanting
		r.Status = warifu.Status{}
	}
}

// checkPast asks the history and reports whether it told the past. Where it should
// have and did not, the verdict is no longer to be good: whoever can keep an answer
// away must gain nothing by it.
func (v *Verifier) checkPast(ctx context.Context, r *Result, p Policy, now time.Time) bool {
	history := v.history
	if p.History != nil {
		history = p.History
	}
	if history == nil {
		return false
	}
	past, err := history.Holds(ctx, r.Certificate, r.Authority, now)
	if err != nil {
		if !errors.Is(err, &warifu.Error{Problem: "status-history-absent"}) {
			r.unsure(err)
		}
		return false
	}
	r.StatusSource, r.StatusTime = past.Source, past.AsOf
	r.weighPast(past, now, p.MaxStatusAge)
	return true
}

// weigh turns an authentic answer into reasons. A final revocation that had begun
// counts however old the word of it is; every other word must speak of the instant
// judged: neither staler than it may be, nor so much later that a suspension could
// have come and gone between.
func (r *Result) weigh(answer Answer, maxAge time.Duration) {
	status := answer.Status
	begun := status.Cert == warifu.StatusRevoked && !status.RevokedAt.After(r.At.Add(ocsp.MaxSkew))
	if begun && status.Reason != warifu.ReasonCertificateHold {
		r.Status = status
		r.bad(revoked(status))
		return
	}
	if answer.ThisUpdate.After(r.At.Add(ocsp.MaxSkew)) {
		r.unsure(warifu.Unavailable("status-answer-later", "thisUpdate", stamp(answer.ThisUpdate)))
		return
	}
	single := ocsp.Single{Status: status, ThisUpdate: answer.ThisUpdate, NextUpdate: answer.NextUpdate}
	if err := single.Fresh(r.At, maxAge); err != nil {
		r.unsure(err)
		return
	}
	switch {
	case status.Cert == warifu.StatusRevoked:
		r.Status = status
		r.bad(revoked(status))
	case status.Cert == warifu.StatusGood:
		r.Status = status
	default:
		r.unsure(warifu.Unavailable("status-unknown"))
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func revoked(s warifu.Status) *warifu.Error {
	if s.Reason == warifu.ReasonCertificateHold {
		return warifu.Refused("certificate-suspended", "since", stamp(s.RevokedAt))
	}
	return warifu.Refused("certificate-revoked", "since", stamp(s.RevokedAt), "reason", s.Reason.String())
}
