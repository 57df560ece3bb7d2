package verify

import (
	"context"
	"crypto/x509"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
)

// Answer is an authentic word about one certificate's status. Its authenticity was
// checked; how fresh it is, is for the one who asked to judge.
type Answer struct {
	Status     warifu.Status
	ThisUpdate time.Time // when it was true
	NextUpdate time.Time // until when it may be relied upon; zero: not said
	Source     string    // for people: "ocsp http://…"
}

// StatusChecker finds out a certificate's status. Check returns only what the
// issuer, or a responder it appointed, has signed; now is the verifier's present
// instant. Whatever keeps it from an answer is an error, and never a good status.
type StatusChecker interface {
	Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error)
}

// RawOCSP checks with an OCSP response that was handed in: stapled to a signature,
// or fetched by somebody else.
type RawOCSP []byte

// Check implements StatusChecker.
func (raw RawOCSP) Check(_ context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	answer, _, err := readOCSP(raw, certificate, issuer, now)
	answer.Source = "ocsp handed in"
	return answer, err
}

// ParsedOCSP is RawOCSP for who has parsed the response before, since it speaks of
// many certificates (ocsp.Answers).
type ParsedOCSP struct{ Response *ocsp.Response }

// Check implements StatusChecker.
func (p ParsedOCSP) Check(_ context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	answer, _, err := judgeOCSP(p.Response, certificate, issuer, now)
	answer.Source = "ocsp handed in"
	return answer, err
}

func readOCSP(der []byte, certificate, issuer *x509.Certificate, now time.Time) (Answer, []byte, error) {
	response, err := ocsp.ParseResponse(der)
	if err != nil {
		return Answer{}, nil, err
	}
	return judgeOCSP(response, certificate, issuer, now)
}

func judgeOCSP(response *ocsp.Response, certificate, issuer *x509.Certificate, now time.Time) (Answer, []byte, error) {
	if err := response.Verify(issuer, now); err != nil {
		return Answer{}, nil, err
	}
	single, err := response.Find(issuer, certificate.SerialNumber)
	if err != nil {
		return Answer{}, nil, err
	}
	return Answer{Status: single.Status, ThisUpdate: single.ThisUpdate, NextUpdate: single.NextUpdate}, response.Nonce, nil
}

// RawCRL checks with a full list that was handed in.
type RawCRL []byte

// Check implements StatusChecker. A delta is Refused "crl-is-delta".
func (raw RawCRL) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	return RawDelta{Full: raw}.Check(ctx, certificate, issuer, now)
}

// RawDelta checks with a full list that was handed in and a delta on it, which tells
// what changed since.
type RawDelta struct {
	Full  []byte
	Delta []byte // nil: none
}

// Check implements StatusChecker. Errors: those of package crl, Refused
// "crl-scope-mismatch".
func (raw RawDelta) Check(_ context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	full, err := crl.Parse(raw.Full)
	if err != nil {
		return Answer{}, err
	}
	var delta *crl.List
	if raw.Delta != nil {
		if delta, err = crl.Parse(raw.Delta); err != nil {
			return Answer{}, err
		}
	}
	answer, err := readLists(full, delta, certificate, issuer, now)
	answer.Source = "crl handed in"
	return answer, err
}

// readLists looks the certificate up in a full list of its issuer, with a delta
// applied where there is one. A list narrowed to a distribution point must name one of
// the certificate's.
func readLists(full, delta *crl.List, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	if err := full.Verify(issuer, now); err != nil {
		return Answer{}, err
	}
	if full.Base != nil {
		return Answer{}, warifu.Refused("crl-is-delta")
	}
	if full.PointNamed && !pointShared(full.Points, certificate.CRLDistributionPoints) {
		return Answer{}, warifu.Refused("crl-scope-mismatch")
	}
	answer := Answer{Status: warifu.Status{Cert: warifu.StatusGood}, ThisUpdate: full.ThisUpdate, NextUpdate: full.NextUpdate}
	lookup := full.Lookup
	if delta != nil {
		if err := delta.Verify(issuer, now); err != nil {
			return Answer{}, err
		}
		both, err := crl.Combine(full, delta)
		if err != nil {
			return Answer{}, err
		}
		lookup, answer.ThisUpdate = both.Lookup, delta.ThisUpdate
		if delta.NextUpdate.Before(answer.NextUpdate) {
			answer.NextUpdate = delta.NextUpdate
		}
	}
	if status, listed := lookup(certificate.SerialNumber.Bytes()); listed {
		answer.Status = status
	}
	return answer, nil
}

func pointShared(list, certificate []string) bool {
	for _, a := range list {
		for _, b := range certificate {
			if a == b {
				return true
			}
		}
	}
	return false
}

// FirstOf asks one checker after the other and returns the first answer; when none
// has one, the first error. OCSP first and a CRL behind it is the usual pair.
type FirstOf []StatusChecker

// Check implements StatusChecker.
func (all FirstOf) Check(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	var first error = warifu.Unavailable("status-not-checked")
	for i, checker := range all {
		answer, err := checker.Check(ctx, certificate, issuer, now)
		if err == nil {
			return answer, nil
		}
		if i == 0 {
			first = err
		}
	}
	return Answer{}, first
}
