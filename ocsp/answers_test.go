package ocsp_test

import (
	"crypto"
	"math/big"
	"sync"
	"testing"

	"warifu/ocsp"
)

func TestAnswersAreParsedOnceAndOnlyTheLastAreKept(t *testing.T) {
	issuer, responder := world().authority, world().responder
	var answers ocsp.Answers
	answer := func(serial int64) []byte {
		der, err := ocsp.Sign([]ocsp.Single{{CertID: ocsp.NewCertID(crypto.SHA256, issuer.certificate, big.NewInt(serial)), ThisUpdate: now}}, nil, now, responder.certificate, responder.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	first := answer(1)
	parsed, err := answers.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := answers.Parse(first); again != parsed {
		t.Error("parsed twice")
	}
	var all sync.WaitGroup
	for i := range 40 {
		der := answer(int64(i + 2))
		all.Go(func() {
			r, err := answers.Parse(der)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := r.Find(issuer.certificate, big.NewInt(int64(i+2))); err != nil {
				t.Errorf("%d got another's answer: %v", i, err)
			}
		})
	}
	all.Wait()
	if again, _ := answers.Parse(first); again == parsed {
		t.Error("nothing is ever forgotten")
	}
	if _, err := answers.Parse([]byte{0x30, 0}); err == nil {
		t.Error("garbage is taken")
	}
}
