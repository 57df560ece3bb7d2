package verify

import (
	"context"
	"crypto/x509"
	"time"
)

// Stapled checks with an OCSP answer that the signer handed over with the signature, by the
// verifier's own word on how old it may be: to the end of MaxAge, also where its nextUpdate has
// passed. RFC 6960 §4.2.2.1 advises against such answers; who uses one has no line, and would
// otherwise have nothing. What happened to the certificate since is not in it: MaxAge is how long
// a stolen phone is believed after its holder has reported it.
type Stapled struct {
	OCSP   []byte
	MaxAge time.Duration // zero: to nextUpdate
}

// Check implements StatusChecker.
func (s Stapled) Check(_ context.Context, certificate, issuer *x509.Certificate, now time.Time) (Answer, error) {
	answer, _, err := readOCSP(s.OCSP, certificate, issuer, now)
	answer.Source = "ocsp handed in"
	if until := answer.ThisUpdate.Add(s.MaxAge); s.MaxAge > 0 {
		answer.NextUpdate = until // sooner than the responder's, or later
	}
	return answer, err
}
