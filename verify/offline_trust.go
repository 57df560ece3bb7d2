package verify

import (
	"crypto/x509"
	"time"

	"warifu"
	"warifu/offline"
	"warifu/profile"
)

// Authorities returns the authorities believed for that class and kind, in the order in
// which they were added.
func (t *Trust) Authorities(class profile.Class, kind warifu.Kind) (out []*x509.Certificate) {
	for _, a := range t.anchors {
		if a.profile.Class == class && a.profile.Kind == kind {
			out = append(out, a.certificate)
		}
	}
	return out
}

// TakeOf is Take for whoever does not know whose pack it is: it must be one of those
// believed. Errors: those of Take; Refused "offline-pack-mismatch" where it is nobody's.
func (o *Offline) TakeOf(der []byte, trust Trust, now time.Time) error {
	p, err := offline.Parse(der)
	if err != nil {
		return err
	}
	for _, a := range trust.anchors {
		if p.Issuer == offline.NewKeyer(a.certificate).Issuer() {
			return o.take(p, a.certificate, now)
		}
	}
	return warifu.Refused("offline-pack-mismatch")
}
