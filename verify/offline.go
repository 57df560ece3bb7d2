package verify

import (
	"context"
	"crypto/x509"
	"sync"
	"time"

	"warifu"
	"warifu/offline"
)

// Offline tells status from packs that were taken beforehand (package offline), with no
// line to anybody. How old a pack may be is the policy's to say (Policy.MaxStatusAge); without
// a bound it is good until its own nextUpdate. The zero value knows nothing. It may be
// used by many goroutines.
type Offline struct {
	mu     sync.RWMutex
	issuer map[[32]byte]shelf
}

// shelf is what is kept of one authority: the newest pack that stands on none, and the
// newest delta on it.
type shelf struct{ base, delta *offline.SignedPack }

// Take checks a pack of the issuer, as its octets came, and keeps it if it is newer than
// what is kept. A delta is kept beside the pack it stands on. Errors: those of
// offline.Parse and SignedPack.Verify, Conflict "offline-pack-older" for one older than
// has been seen, NotFound "offline-base-absent" for a delta on a pack that is not there.
func (o *Offline) Take(der []byte, issuer *x509.Certificate, now time.Time) error {
	p, err := offline.Parse(der)
	if err != nil {
		return err
	}
	if err := p.Verify(issuer, now); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.issuer[p.Issuer]
	if s.base != nil && p.Number < s.newest().Number {
		return warifu.Conflict("offline-pack-older")
	}
	switch {
	case p.Base == 0:
		s = shelf{base: p}
	case s.base == nil || s.base.Number != p.Base:
		return warifu.NotFound("offline-base-absent")
	default:
		s.delta = p
	}
	if o.issuer == nil {
		o.issuer = map[[32]byte]shelf{}
	}
	o.issuer[p.Issuer] = s
	return nil
}

func (s shelf) newest() *offline.SignedPack {
	if s.delta != nil {
		return s.delta
	}
	return s.base
}

// Check implements StatusChecker. Errors: Unavailable "offline-pack-absent" where there
// is no pack of the issuer, "offline-not-covered" where the pack does not speak of the
// certificate: it is younger, or is not in use yet.
func (o *Offline) Check(_ context.Context, certificate, issuer *x509.Certificate, _ time.Time) (Answer, error) {
	o.mu.RLock()
	s := o.issuer[offline.NewKeyer(issuer).Issuer()]
	o.mu.RUnlock()
	if s.base == nil {
		return Answer{}, warifu.Unavailable("offline-pack-absent")
	}
	p, base := s.base, (*offline.Pack)(nil)
	if s.delta != nil {
		p, base = s.delta, &s.base.Pack
	}
	status := p.Status(base, certificate)
	if status.Cert == warifu.StatusUnknown {
		return Answer{}, warifu.Unavailable("offline-not-covered", "covered", stamp(p.CoveredTo))
	}
	if status.Cert == warifu.StatusRevoked { // a pack tells no time: it was so when the pack was made
		status.RevokedAt = p.ProducedAt
	}
	return Answer{Status: status, ThisUpdate: p.ProducedAt, NextUpdate: p.NextUpdate, Source: "offline pack"}, nil
}
