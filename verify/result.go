package verify

import (
	"crypto/x509"
	"errors"
	"time"

	"warifu"
	"warifu/profile"
)

// Verdict is the answer in one word. The zero value is Unknown.
type Verdict uint8

// The verdicts.
const (
	Unknown Verdict = iota // not everything could be checked
	Good                   // everything was checked and held
	Bad                    // something was checked and did not hold
)

// String returns "unknown", "good" or "bad".
func (v Verdict) String() string {
	switch v {
	case Good:
		return "good"
	case Bad:
		return "bad"
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Result says what was found. Fields that the checks did not reach are zero.
type Result struct {
	Verdict Verdict
	// Reasons say why the verdict is not Good: problems with a slug, whose sentences
	// stand in the text catalogue. Empty exactly when it is Good.
	Reasons []*warifu.Error
	// Warnings are worth a look and change no verdict.
	Warnings []*warifu.Error

	Class       profile.Class // on a card or on a phone
	Kind        warifu.Kind
	Certificate *x509.Certificate // the signer's
	Authority   *x509.Certificate // who issued it; nil unless believed
	Attributes  profile.Attributes

	Status       warifu.Status
	StatusSource string    // "ocsp http://…", "crl http://…", "ocsp handed in", …
	StatusTime   time.Time // when the status was true: thisUpdate of the answer
	At           time.Time // the instant judged
	// Stamped is the instant of the trusted time-stamp on the signature; zero: there is none.
	Stamped time.Time

	SigningTime time.Time // the signer's claim; zero when absent
	Content     []byte    // of an attached message whose signature held

	undecided bool // a reason that leaves the verdict unknown
}

// StatusAge returns how old the status was at the instant judged; never negative.
func (r *Result) StatusAge() time.Duration { return max(0, r.At.Sub(r.StatusTime)) }

// Err returns nil for a Good result and otherwise its first reason, for callers who
// go on only with what is good.
func (r *Result) Err() error {
	switch {
	case r.Verdict == Good:
		return nil
	case len(r.Reasons) == 0:
		return warifu.Unavailable("status-not-checked")
	}
	return r.Reasons[0]
}

// bad records a reason for Bad.
func (r *Result) bad(err error) {
	r.Reasons = append(r.Reasons, warifu.ProblemOf(err))
	r.Verdict = Bad
}

// unsure records a reason for Unknown, unless worse is known.
func (r *Result) unsure(err error) {
	r.Reasons = append(r.Reasons, warifu.ProblemOf(err))
	r.undecided = true
}

func (r *Result) warn(err *warifu.Error) { r.Warnings = append(r.Warnings, err) }

// conclude makes Good what nothing spoke against.
func (r *Result) conclude() {
	if r.Verdict != Bad && !r.undecided && r.Status.Cert == warifu.StatusGood && r.Authority != nil {
		r.Verdict = Good
	}
}

// Has reports whether a reason has that problem slug.
func (r *Result) Has(problem string) bool {
	for _, e := range r.Reasons {
		if errors.Is(e, &warifu.Error{Problem: problem}) {
			return true
		}
	}
	return false
}
