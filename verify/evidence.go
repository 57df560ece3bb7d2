package verify

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"time"

	"warifu"
	"warifu/ocsp"
	"warifu/timestamp"
)

// Evidence is what proves, years later and with nobody left to ask, that a signature was
// good when it was made: the signature, who stood behind it, what the authority said of the
// certificate then, and time-stamps over all of it. It names a person: it is a personal
// document of whoever signed.
type Evidence struct {
	Subject   Subject
	Authority []byte // DER of the certificate of who issued the signer's
	// What was said of the certificate: at least OCSP or CRL; History where somebody told one.
	OCSP, CRL, History []byte
	// Stamps are time-stamp tokens: the first over SHA-256 of everything above (ID), each
	// later one over everything above and the tokens before it.
	Stamps [][]byte
}

// Stamper gives time-stamp tokens over a SHA-256 digest.
type Stamper interface {
	Stamp(ctx context.Context, digest [sha256.Size]byte) (token []byte, err error)
}

// Sources is where evidence is gathered from. OCSP or CRL must be there.
type Sources struct {
	OCSP    Fetcher // OCSPClient
	CRL     Fetcher // CRLClient
	History Fetcher // HistoryClient; nil: none
	Stamper Stamper
}

// Fetcher fetches what an authority says of a certificate, checked to be about it.
type Fetcher interface {
	Fetch(ctx context.Context, certificate, issuer *x509.Certificate, now time.Time) ([]byte, error)
}

// ID is the record's name: SHA-256 of what the first time-stamp is over. It stays the same
// when the record is renewed.
func (e *Evidence) ID() warifu.Digest { return warifu.Digest(e.imprint(0)) }

// Gather judges a signature now and, when it is good, gathers the evidence for it. The
// result is returned in any case. Errors: the result's reason when it is not good, Unavailable
// "status-unavailable" when the authority could not be asked, those of the stamper.
func (v *Verifier) Gather(ctx context.Context, s Subject, from Sources, p Policy) (*Evidence, *Result, error) {
	e := &Evidence{Subject: s}
	r := v.begin(p)
	signer, token, imprint, err := s.open(r)
	if err != nil {
		r.bad(err)
		return nil, r, err
	}
	p = v.stamped(r, p, token, imprint)
	v.judge(ctx, r, signer, warifu.Signature, p)
	r.checkSigningTime()
	if r.conclude(); r.Verdict != Good {
		return nil, r, r.Err()
	}
	e.Authority = r.Authority.Raw
	if err := e.ask(ctx, r, from, v.clock.Now()); err != nil {
		return nil, r, err
	}
	if err := e.Renew(ctx, from.Stamper); err != nil {
		return nil, r, err
	}
	// What was gathered must convince somebody who has nothing else.
	again, err := v.Evidence(ctx, e, p)
	if err == nil && again.Verdict != Good {
		err = again.Err()
	}
	return e, again, err
}

func (e *Evidence) ask(ctx context.Context, r *Result, from Sources, now time.Time) error {
	var err error
	for _, q := range []struct {
		fetcher Fetcher
		into    *[]byte
	}{{from.OCSP, &e.OCSP}, {from.CRL, &e.CRL}, {from.History, &e.History}} {
		if q.fetcher == nil {
			continue
		}
		octets, failed := q.fetcher.Fetch(ctx, r.Certificate, r.Authority, now)
		if *q.into = octets; failed != nil {
			err = failed
		}
	}
	if e.OCSP == nil && e.CRL == nil {
		if err == nil {
			err = warifu.Unavailable("status-not-checked")
		}
		return err
	}
	return nil
}

// Renew adds a time-stamp over the whole record. It has to be done while the newest one
// still holds: before Until.
func (e *Evidence) Renew(ctx context.Context, by Stamper) error {
	if len(e.Stamps) >= maxStamps {
		return warifu.TooLarge("evidence-too-large")
	}
	token, err := by.Stamp(ctx, e.imprint(len(e.Stamps)))
	if err != nil {
		return err
	}
	e.Stamps = append(e.Stamps, token)
	return nil
}

// Until is when the newest time-stamp stops proving anything: its authority's certificate
// ends, or its algorithm is relied upon no longer (Reliances). Error: Invalid "evidence-malformed".
func (e *Evidence) Until() (time.Time, error) {
	if len(e.Stamps) == 0 {
		return time.Time{}, warifu.Invalid("evidence-malformed", "what", "no time-stamp")
	}
	t, err := timestamp.ParseToken(e.Stamps[len(e.Stamps)-1])
	if err != nil {
		return time.Time{}, err
	}
	until := t.Authority.NotAfter
	if aged := reliedUntil(t.Authority); !aged.IsZero() && aged.Before(until) {
		until = aged
	}
	return until, nil
}

// Evidence judges a signature from its record alone: at the instant of the time-stamp on
// the signature, or else of the record's first one, with what the authority said then.
// Nobody is asked. Each time-stamp has to be by a trusted authority that was entitled when the
// next one was made, and the newest by one that is entitled now. What the policy says of At,
// Status and History is not used. Error: the context's, and nothing else.
func (v *Verifier) Evidence(ctx context.Context, e *Evidence, p Policy) (*Result, error) {
	p.At, p.Status, p.History = time.Time{}, nil, nil
	r := v.begin(p)
	defer r.conclude()
	at, err := v.proven(e)
	if err != nil {
		r.bad(err)
		return r, ctx.Err()
	}
	r.At, r.Stamped = at, at
	signer, token, imprint, err := e.Subject.open(r)
	if err != nil {
		r.bad(err)
		return r, ctx.Err()
	}
	then := *v
	then.clock = warifu.ClockFunc(func() time.Time { return at })
	then.history = nil
	p = then.stamped(r, p, token, imprint)
	if p.At.IsZero() {
		p.At = at
	}
	var status FirstOf
	if e.OCSP != nil {
		status = append(status, RawOCSP(e.OCSP))
	}
	if e.CRL != nil {
		status = append(status, RawCRL(e.CRL))
	}
	p.Status = status
	if e.History != nil {
		p.History = RawHistory(e.History)
	}
	then.judge(ctx, r, signer, warifu.Signature, p)
	if r.Authority != nil && string(r.Authority.Raw) != string(e.Authority) {
		r.bad(warifu.Refused("evidence-authority"))
	}
	r.checkSigningTime()
	v.warnOfAge(r, e)
	return r, ctx.Err()
}

// proven checks the time-stamps from the newest back to the first, and returns its instant.
func (v *Verifier) proven(e *Evidence) (time.Time, error) {
	if len(e.Stamps) == 0 || len(e.Stamps) > maxStamps {
		return time.Time{}, warifu.Invalid("evidence-malformed", "what", "time-stamps")
	}
	until, latest := v.clock.Now(), v.clock.Now().Add(ocsp.MaxSkew) // the authority's clock may be a little ahead of ours
	for i := len(e.Stamps) - 1; i >= 0; i-- {
		t, err := timestamp.ParseToken(e.Stamps[i])
		if err != nil {
			return time.Time{}, err
		}
		if err := t.Verify(v.stamps, e.imprint(i)); err != nil {
			return time.Time{}, err
		}
		if t.Time.After(latest) {
			return time.Time{}, warifu.Refused("timestamp-future")
		}
		if until.After(t.Authority.NotAfter) {
			return time.Time{}, warifu.Refused("evidence-lapsed", "at", stamp(t.Authority.NotAfter))
		}
		until, latest = t.Time, t.Time
	}
	return until, nil
}
