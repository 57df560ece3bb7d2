package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"time"

	"warifu"
	"warifu/timestamp"
)

// Reliance says for how long signatures by an algorithm are relied upon, and who says so.
type Reliance struct {
	Algorithm string
	Until     time.Time // the last instant, UTC
	Source    string
}

const transition = "NIST IR 8547 (initial public draft, November 2024), table 2"

// Reliances are the dates that evidence is renewed by. They are forecasts: when a source
// moves a date, move it here. SHA-256 is in none of the sources with an end (SP 800-57 part 1
// rev. 5, table 4: acceptable in 2031 and beyond).
var Reliances = []Reliance{
	{"RSA-2048", endOf(2030), transition + ": 112 bits of strength deprecated after 2030"},
	{"RSA-3072", endOf(2035), transition + ": disallowed after 2035"},
	{"P-256", endOf(2035), transition + ": disallowed after 2035"},
}

func endOf(year int) time.Time { return time.Date(year, 12, 31, 23, 59, 59, 0, time.UTC) }

// RelianceOf is the row of the table for signatures by the key; false for a key that this
// package takes no signatures of.
func RelianceOf(key any) (Reliance, bool) {
	row := -1
	switch k := key.(type) {
	case *rsa.PublicKey:
		row = 0
		if k.N.BitLen() >= 3072 {
			row = 1
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			row = 2
		}
	}
	if row < 0 {
		return Reliance{}, false
	}
	return Reliances[row], true
}

// reliedUntil is the end of the table's row for the key; zero for a key that is in none.
func reliedUntil(c *x509.Certificate) time.Time {
	r, _ := RelianceOf(c.PublicKey)
	return r.Until
}

// Due reports whether a record shall be renewed at the instant: what it rests on ends within
// the margin. What was signed by older algorithms needs no attention, being under a time-stamp since
// they were relied upon. Error as Until.
func (e *Evidence) Due(now time.Time, margin time.Duration) (bool, error) {
	until, err := e.Until()
	return err == nil && !now.Add(margin).Before(until), err
}

// RenewIfDue renews a record that is due, and reports whether it now proves for longer than
// before. A stamper whose own token would end no later changes nothing: it needs a newer algorithm
// or certificate first, which is for an operator to see to. Errors: those of Renew, Until.
func (e *Evidence) RenewIfDue(ctx context.Context, by Stamper, now time.Time, margin time.Duration) (bool, error) {
	due, err := e.Due(now, margin)
	if err != nil || !due {
		return false, err
	}
	before, err := e.Until()
	if err != nil {
		return false, err
	}
	kept := e.Stamps[:len(e.Stamps):len(e.Stamps)]
	if err := e.Renew(ctx, by); err != nil {
		return false, err
	}
	after, err := e.Until()
	if err != nil || !after.After(before) {
		e.Stamps = kept
		return false, err
	}
	return true, nil
}

// warnOfAge warns of what was signed by an algorithm at a time when it was no longer relied
// upon: the signature itself and its chain when the first time-stamp covered them, each time-stamp
// when the next one did, the newest one now. It changes no verdict: the dates are forecasts.
func (v *Verifier) warnOfAge(r *Result, e *Evidence) {
	covered := r.At
	warn := func(c *x509.Certificate, at time.Time) {
		row, known := RelianceOf(c.PublicKey)
		if known && at.After(row.Until) {
			r.warn(warifu.Refused("evidence-algorithm-aged", "algorithm", row.Algorithm, "until", stamp(row.Until)))
		}
	}
	for _, c := range []*x509.Certificate{r.Certificate, r.Authority} {
		if c != nil {
			warn(c, covered)
		}
	}
	next := v.clock.Now()
	for i := len(e.Stamps) - 1; i >= 0; i-- {
		t, err := timestamp.ParseToken(e.Stamps[i])
		if err != nil {
			return // said already
		}
		warn(t.Authority, next)
		next = t.Time
	}
}
