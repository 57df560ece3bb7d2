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
//
// An older pack is refused in favour of a newer one that was seen, since whoever can keep
// the new ones away could otherwise bring a revoked certificate back. To have that hold
// over a restart, keep WriteNumbers' few lines beside the packs and hand them to
// ReadNumbers before the first Take.
type Offline struct {
	mu     sync.RWMutex
	issuer map[[32]byte]shelf
}

// shelf is what is kept of one authority: the newest pack that stands on none, and the
// newest delta on it; and the numbers of the newest of each that were ever seen.
type shelf struct {
	base, delta *offline.SignedPack
	seen        numbers
}

// numbers are those of the newest whole pack, and of the newest of any.
type numbers struct{ whole, newest uint64 }

// Take checks a pack of the issuer, as its octets came, and keeps it if it is newer than
// what is kept. A delta is kept beside the pack it stands on. Errors: those of
// offline.Parse and SignedPack.Verify, Conflict "offline-pack-older" for one older than
// has been seen, NotFound "offline-base-absent" for a delta on a pack that is not there.
func (o *Offline) Take(der []byte, issuer *x509.Certificate, now time.Time) error {
	p, err := offline.Parse(der)
	if err != nil {
		return err
	}
	return o.take(p, issuer, now)
}

func (o *Offline) take(p *offline.SignedPack, issuer *x509.Certificate, now time.Time) error {
	if err := p.Verify(issuer, now); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.issuer[p.Issuer]
	if older := s.base != nil && p.Number < s.newest().Number; older || p.Number < s.seen.whole || p.Base != 0 && p.Number < s.seen.newest {
		return warifu.Conflict("offline-pack-older")
	}
	switch {
	case p.Base == 0:
		s.base, s.delta, s.seen.whole = p, nil, p.Number
	case s.base == nil || s.base.Number != p.Base:
		return warifu.NotFound("offline-base-absent")
	default:
		s.delta = p
	}
	s.seen.newest = max(s.seen.newest, p.Number)
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
// is no pack of the issuer, Conflict "offline-pack-older" where a newer one has been seen
// than those that are here, Unavailable "offline-not-covered" where the pack does not speak of the
// certificate: it is younger, or is not in use yet.
func (o *Offline) Check(_ context.Context, certificate, issuer *x509.Certificate, _ time.Time) (Answer, error) {
	o.mu.RLock()
	s := o.issuer[offline.NewKeyer(issuer).Issuer()]
	o.mu.RUnlock()
	if s.base == nil {
		return Answer{}, warifu.Unavailable("offline-pack-absent")
	}
	if s.newest().Number < s.seen.newest { // the delta that was here before is not here yet
		return Answer{}, warifu.Conflict("offline-pack-older")
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
