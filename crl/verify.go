package crl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"time"

	"warifu"
)

// Verify checks that the list is the issuer's own and speaks of the instant now.
// Whether it is a delta and which certificates it covers stay the caller's to look
// at. Errors: Refused "crl-issuer-mismatch", "crl-signature", "crl-stale", "crl-future".
func (l *List) Verify(issuer *x509.Certificate, now time.Time) error {
	switch {
	case !bytes.Equal(l.issuer, issuer.RawSubject), !issuer.IsCA, issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0:
		return warifu.Refused("crl-issuer-mismatch")
	case !l.signedBy(issuer.PublicKey):
		return warifu.Refused("crl-signature")
	case l.ThisUpdate.After(now.Add(MaxSkew)):
		return warifu.Refused("crl-future")
	case now.After(l.NextUpdate):
		return warifu.Refused("crl-stale", "nextUpdate", l.NextUpdate.Format(time.RFC3339))
	}
	return nil
}

func (l *List) signedBy(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		return l.algorithm.Equal(oidSHA256WithRSA) && bits >= 2048 && bits <= 8192 &&
			rsa.VerifyPKCS1v15(k, crypto.SHA256, l.tbsDigest[:], l.signature) == nil
	case *ecdsa.PublicKey:
		return l.algorithm.Equal(oidECDSAWithSHA256) && k.Curve == elliptic.P256() && ecdsa.VerifyASN1(k, l.tbsDigest[:], l.signature)
	}
	return false
}
