package verify_test

import (
	"context"
	"math/big"
	"testing"

	"warifu/crl"
	"warifu/verify"
)

// FuzzDocument holds that nothing but the seeds is ever good.
func FuzzDocument(f *testing.F) {
	h := world()[phoneSignature]
	v := verifier(f)
	seeds := map[string]bool{}
	for _, detached := range []bool{false, true} {
		der := signed(f, h.holder, content, detached)
		seeds[string(der)] = true
		f.Add(der)
	}
	f.Add(signed(f, world()[phoneAuthentication].holder, content, true))
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := v.Document(context.Background(), der, content, verify.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		if (r.Verdict == verify.Good) != (len(r.Reasons) == 0) {
			t.Fatalf("%s with %v", r.Verdict, r.Reasons)
		}
		if r.Verdict == verify.Good && !seeds[string(der)] && string(r.Content) != string(content) && r.Content != nil {
			t.Fatalf("good: %x", der)
		}
	})
}

// FuzzRawOCSP holds that no octets but an answer of the responder make a status.
func FuzzRawOCSP(f *testing.F) {
	h := world()[phoneSignature]
	seed := answered(f, h, h.responder, h.holder.certificate.SerialNumber, good, now)
	f.Add(seed)
	f.Add(answered(f, h, h.responder, big.NewInt(5), good, now))
	f.Fuzz(func(t *testing.T, der []byte) {
		answer, err := verify.RawOCSP(der).Check(context.Background(), h.holder.certificate, h.authority.certificate, now)
		if err == nil && answer.Status != good {
			t.Fatalf("%+v", answer)
		}
	})
}

// FuzzRawCRL holds the same for lists.
func FuzzRawCRL(f *testing.F) {
	h := world()[phoneSignature]
	f.Add(list(f, h, fullHead, big.NewInt(7)))
	f.Add(list(f, h, crl.Head{Number: 2, Base: 1, ThisUpdate: fullHead.ThisUpdate, NextUpdate: fullHead.NextUpdate}))
	f.Fuzz(func(t *testing.T, der []byte) {
		answer, err := verify.RawCRL(der).Check(context.Background(), h.holder.certificate, h.authority.certificate, now)
		if err == nil && answer.Status != good {
			t.Fatalf("%+v", answer)
		}
	})
}
