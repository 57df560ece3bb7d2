package ocsp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"warifu"
	"warifu/signed"
)

// MaxSkew is how far in the future an answer's times may lie: two clocks are never one.
const MaxSkew = 5 * time.Minute

// OIDNoCheck is id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1): the responder's own
// certificate, short-lived, is to be believed without asking for its status.
var OIDNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

// findResponder picks, of the certificates that came along, the one the responderID names.
func (r *Response) findResponder() {
	for _, c := range r.certificates {
		if r.names(c) {
			r.ResponderCertificate = c
			return
		}
	}
}

// names reports whether the responderID is c's.
func (r *Response) names(c *x509.Certificate) bool {
	if r.responderName != nil {
		return bytes.Equal(r.responderName, c.RawSubject)
	}
	hash := sha1.Sum(publicKeyBits(c))
	return bytes.Equal(r.responderKey, hash[:])
}

// Verify checks at the instant now that the response was signed by the issuer, or
// by a responder to whom that same issuer delegated it (RFC 6960 §4.2.2.2):
// id-kp-OCSPSigning, issued directly by the issuer's key, valid now, and carrying
// nocheck, since nobody's word is taken for the status of a responder without it.
// Whose status the response speaks of and how fresh it is are Find's and
// Single.Fresh's to say. Errors: Refused "status-responder-unauthorized", Refused
// "status-answer-signature".
func (r *Response) Verify(issuer *x509.Certificate, now time.Time) error {
	responder := issuer
	if !r.names(issuer) {
		if r.ResponderCertificate == nil {
			return unauthorized("no responder certificate")
		}
		responder = r.ResponderCertificate
		if err := CheckDelegation(responder, issuer, now); err != nil {
			return err
		}
	}
	if r.ProducedAt.After(now.Add(MaxSkew)) {
		return warifu.Refused("status-answer-future")
	}
	return r.checkSignature(responder.PublicKey)
}

func unauthorized(why string) error {
	return warifu.Refused("status-responder-unauthorized", "why", why)
}

// CheckDelegation checks that the issuer itself appointed the responder to speak of its
// certificates (RFC 6960 §4.2.2.2) and that the appointment is not over. Error: Refused
// "status-responder-unauthorized".
func CheckDelegation(responder, issuer *x509.Certificate, now time.Time) error {
	switch {
	case !bytes.Equal(responder.RawIssuer, issuer.RawSubject) || signed.By(responder, issuer) != nil:
		return unauthorized("not issued by the authority itself")
	case responder.IsCA:
		return unauthorized("an authority's certificate")
	case !slices.Contains(responder.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return unauthorized("id-kp-OCSPSigning absent")
	case responder.KeyUsage != 0 && responder.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return unauthorized("keyUsage")
	case len(responder.UnhandledCriticalExtensions) != 0:
		return unauthorized("unknown critical extension")
	case now.Before(responder.NotBefore) || now.After(responder.NotAfter):
		return unauthorized("responder certificate not valid now")
	case !hasNoCheck(responder):
		return unauthorized("nocheck absent")
	}
	return nil
}

func hasNoCheck(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(OIDNoCheck) {
			return true
		}
	}
	return false
}

func (r *Response) checkSignature(key crypto.PublicKey) error {
	refused := warifu.Refused("status-answer-signature")
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 || k.N.BitLen() > 8192 || !r.algorithm.Equal(oidSHA256WithRSA) {
			return refused
		}
		if err := signed.Digest(k, r.tbsDigest, r.signature); err != nil {
			return refused.With(err)
		}
		return nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() && r.algorithm.Equal(oidECDSAWithSHA256) && signed.Digest(k, r.tbsDigest, r.signature) == nil {
			return nil
		}
	}
	return refused
}

// Fresh checks that the answer speaks of the instant now: it has begun, with MaxSkew
// of patience, and has not ended. maxAge bounds the time since thisUpdate, and
// alone counts where nextUpdate is absent; zero means no bound of the caller's.
// Errors: Refused "status-answer-future", Refused "status-answer-stale".
func (s Single) Fresh(now time.Time, maxAge time.Duration) error {
	stale := warifu.Refused("status-answer-stale", "thisUpdate", s.ThisUpdate.Format(time.RFC3339))
	switch {
	case s.ThisUpdate.After(now.Add(MaxSkew)):
		return warifu.Refused("status-answer-future")
	case !s.NextUpdate.IsZero() && now.After(s.NextUpdate):
		return stale
	case maxAge > 0 && now.Sub(s.ThisUpdate) > maxAge:
		return stale
	case maxAge == 0 && s.NextUpdate.IsZero() && now.Sub(s.ThisUpdate) > MaxSkew:
		return stale
	}
	return nil
}
