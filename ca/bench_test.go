package ca_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"warifu"
	"warifu/ca"
	"warifu/profile"
)

// BenchmarkIssuance is one P-256 issuance, everything checked, with a ledger that costs
// nothing; the sub-benchmarks are its parts.
func BenchmarkIssuance(b *testing.B) {
	w := newWorld("badge")
	issuer := w.issuers[warifu.Authentication]
	r := w.newApplication().request()
	der := w.issue(b, warifu.Authentication, r)
	c := parse(der)
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			w.ledgers[warifu.Authentication].rows = nil
			if o := issuer.Issue(b.Context(), []ca.Request{r})[0]; o.Err != nil {
				b.Fatal(o.Err)
			}
		}
	})
	// What nobody can do without: nine P-256 verifications (document, two card certificates
	// and two status answers, chain, attestation, secrets, statement) and one signature.
	b.Run("bare-cryptography", func(b *testing.B) {
		digest := sha256.Sum256(c.RawTBSCertificate)
		key := w.authority[warifu.Authentication].key.(*ecdsa.PrivateKey)
		for b.Loop() {
			signature := must(key.Sign(nil, digest[:], crypto.SHA256))
			for range 9 {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
					b.Fatal("does not verify")
				}
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			must(ca.Check(issuer, r))
		}
	})
	b.Run("tbs", func(b *testing.B) {
		p := profile.Phone(warifu.Authentication, profile.P256, phoneEndpoints)
		in := profile.EndEntity{Serial: c.SerialNumber.Bytes(), PublicKey: c.RawSubjectPublicKeyInfo, CommonName: c.Subject.CommonName, NotBefore: c.NotBefore, NotAfter: c.NotAfter}
		for b.Loop() {
			must(p.TBS(in, w.authority[warifu.Authentication].certificate))
		}
	})
	b.Run("lint", func(b *testing.B) {
		for b.Loop() {
			if err := ca.LintAs(issuer, c.RawTBSCertificate, c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("zlint", func(b *testing.B) {
		for b.Loop() {
			if err := ca.Zlint(issuer, der); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			must(profile.Sign(c.RawTBSCertificate, w.keys[warifu.Authentication]))
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			again := must(x509.ParseCertificate(der))
			if err := again.CheckSignatureFrom(w.authority[warifu.Authentication].certificate); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkIssuanceRSA is one issuance of the default scheme, whose keys are the card's.
func BenchmarkIssuanceRSA(b *testing.B) {
	w := newWorld("jp-mobile")
	w.phoneKey = phoneKeys("jp-mobile")
	r := w.newApplication().request()
	for b.Loop() {
		w.ledgers[warifu.Authentication].rows = nil
		w.issue(b, warifu.Authentication, r)
	}
}
